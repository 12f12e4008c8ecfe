/** A piece of what a model says aloud, or thinks. */
export type Spoken = { text: string; reasoning: string }

const open = '<think>'
const close = '</think>'

/**
 * Parts an answer that begins with `<think>`: some servers leave a model's thoughts in its text.
 *
 * A tag may come in pieces; anywhere but at the beginning it is text.
 */
export class ThinkTag {
  #state: 'beginning' | 'thinking' | 'speaking' = 'beginning'
  #held = ''

  take(delta: string): Spoken {
    if (this.#state === 'speaking') return { text: delta, reasoning: '' }
    this.#held += delta
    if (this.#state === 'beginning') {
      const begin = this.#held.trimStart()
      if (open.startsWith(begin)) return { text: '', reasoning: '' }
      if (!begin.startsWith(open)) {
        this.#state = 'speaking'
        return { text: this.#release(), reasoning: '' }
      }
      this.#state = 'thinking'
      this.#held = begin.slice(open.length).trimStart()
    }
    const end = this.#held.indexOf(close)
    if (end >= 0) {
      const [reasoning, text] = [this.#held.slice(0, end), this.#held.slice(end + close.length)]
      this.#state = 'speaking'
      this.#held = ''
      return { text, reasoning }
    }
    // What may be the beginning of the closing tag waits for more.
    const keep = partialEnd(this.#held)
    const reasoning = this.#held.slice(0, this.#held.length - keep)
    this.#held = this.#held.slice(this.#held.length - keep)
    return { text: '', reasoning }
  }

  /** What still waited when the answer ended. */
  end(): Spoken {
    const rest = this.#release()
    return this.#state === 'thinking' ? { text: '', reasoning: rest } : { text: rest, reasoning: '' }
  }

  #release(): string {
    const held = this.#held
    this.#held = ''
    return held
  }
}

function partialEnd(text: string): number {
  for (let length = Math.min(close.length - 1, text.length); length > 0; length--)
    if (close.startsWith(text.slice(-length))) return length
  return 0
}
