/** UTF-16 units one event may have: an endless line must not fill the memory. */
const maxLength = 16 * 1024 * 1024

/**
 * The data of each event in a stream of server-sent events, whatever the line ends and however its bytes were cut.
 *
 * Comments, which keep connections open, and events without data are passed over. An event the stream ends in is given too,
 * as some servers forget the last empty line.
 *
 * @throws RangeError for an event that does not end.
 * @see WHATWG HTML §9.2.6
 */
export async function* eventData(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  // Drops the byte order mark, as the standard wants; a character cut in two waits for its other half.
  const decoder = new TextDecoder()
  let rest = ''
  let data: string[] = []
  let length = 0

  function* lines(text: string, isLast: boolean): Generator<string> {
    rest += text
    let begin = 0
    for (const { 0: end, index } of rest.matchAll(/\r\n?|\n/g)) {
      // Whether a line feed follows, the next chunk knows.
      if (end === '\r' && index + 1 === rest.length && !isLast) break
      yield rest.slice(begin, index)
      begin = index + end.length
    }
    rest = rest.slice(begin)
    if (rest.length + length > maxLength) throw new RangeError('An event of the stream does not end')
  }

  function take(line: string): string | null {
    if (line === '') {
      if (data.length === 0) return null
      const whole = data.join('\n')
      data = []
      length = 0
      return whole
    }
    if (line.startsWith('data:')) {
      const value = line.slice(line[5] === ' ' ? 6 : 5)
      data.push(value)
      length += value.length
    }
    return null
  }

  for await (const chunk of chunks)
    for (const line of lines(decoder.decode(chunk, { stream: true }), false)) {
      const event = take(line)
      if (event !== null) yield event
    }
  for (const line of [...lines(decoder.decode(), true), rest, '']) {
    const event = take(line)
    if (event !== null) yield event
  }
}
