/**
 * Takes a stream of server-sent events apart, wherever it was cut (WHATWG HTML §9.2.6).
 *
 * Only `data` is kept: ChatKit names no events and numbers none. Line ends are LF, CR or CRLF; comments and empty messages vanish.
 */
export class EventDataParser {
  readonly #decoder = new TextDecoder()
  #line = ''
  #data: string[] = []
  // The last character was a CR: a LF that follows belongs to it.
  #afterReturn = false

  /** What bytes complete: the `data` of each message, its lines joined by LF. */
  push(bytes: Uint8Array): string[] {
    return this.#read(this.#decoder.decode(bytes, { stream: true }))
  }

  /**
   * Call at the end of the stream.
   *
   * @returns whether it ended in the middle of a message. What there was of it is not one.
   */
  end(): boolean {
    this.#read(this.#decoder.decode())
    return this.#data.length > 0 || (this.#line !== '' && !this.#line.startsWith(':'))
  }

  #read(text: string): string[] {
    const messages: string[] = []
    let from = 0
    if (this.#afterReturn && text !== '') {
      this.#afterReturn = false
      if (text.startsWith('\n')) from = 1
    }
    // Looked for once and not for every line: mostly there is none.
    let carriage = text.indexOf('\r', from)
    for (;;) {
      if (carriage >= 0 && carriage < from) carriage = text.indexOf('\r', from)
      const feed = text.indexOf('\n', from)
      const end = carriage < 0 || (feed >= 0 && feed < carriage) ? feed : carriage
      if (end < 0) break
      this.#take(this.#line + text.slice(from, end), messages)
      this.#line = ''
      from = end + 1
      if (text[end] !== '\r') continue
      if (from === text.length) this.#afterReturn = true
      else if (text[from] === '\n') from += 1
    }
    this.#line += text.slice(from)
    return messages
  }

  #take(line: string, messages: string[]): void {
    if (line === '') {
      const data = this.#data.join('\n')
      this.#data = []
      if (data !== '') messages.push(data)
    } else if (line.startsWith('data:')) {
      this.#data.push(line.slice(line[5] === ' ' ? 6 : 5))
    } else if (line === 'data') {
      this.#data.push('')
    }
  }
}
