import type { StreamEvent } from '../protocol/event.ts'
import type { Outlet } from './outlet.ts'
import { type ItemStates, Replay } from './replay.ts'
import type { EndReason } from './run-responder.ts'
import { Framer } from './sse.ts'
import { Unfinished } from './unfinished.ts'

/** A reader this far behind, while another keeps up, is let go. */
const tooFarBehind = 48 * 1024

/**
 * One answer in the making, and those who read it: nobody yet, one reader as a rule, more when a request was repeated.
 */
export class Run {
  readonly signal: AbortSignal
  readonly #controller = new AbortController()
  readonly #outlets = new Set<Outlet>()
  readonly unfinished = new Unfinished()
  readonly #replay = new Replay()
  /** What is told while somebody is on the way in. */
  readonly #arrivals = new Set<string[]>()
  readonly #framer = new Framer()
  readonly #detachedMs: number
  #leaving: NodeJS.Timeout | undefined
  #ended = false

  /** @param detachedMs how long it goes on without a reader. */
  constructor(detachedMs: number) {
    this.#detachedMs = detachedMs
    this.signal = this.#controller.signal
  }

  /** Whether it is still on its way to a regular end. */
  get alive(): boolean {
    return !this.#ended && !this.signal.aborted
  }

  /** Whether it goes on without a reader. */
  get alone(): boolean {
    return this.alive && this.#outlets.size + this.#arrivals.size === 0
  }

  /** Takes its first reader, before anything was told; also when it was aborted already, so that the stream is ended. */
  begin(outlet: Outlet): void {
    this.#outlets.add(outlet)
  }

  /**
   * Lets another reader read along, from the beginning.
   *
   * @param stored finds an item of the thread.
   * @returns false when it is too late for that.
   */
  async join(outlet: Outlet, stored: ItemStates['stored']): Promise<boolean> {
    if (!this.alive) return false
    clearTimeout(this.#leaving)
    const meanwhile: string[] = []
    this.#arrivals.add(meanwhile)
    try {
      const told = await this.#replay.frames({ unfinished: itemId => this.unfinished.get(itemId), stored })
      outlet.catchUp([...told, ...meanwhile])
      if (this.#ended) outlet.end()
      else this.#outlets.add(outlet)
      return true
    } finally {
      this.#arrivals.delete(meanwhile)
      // Whoever could not come in is one who has gone.
      this.#endWhenAlone()
    }
  }

  /** A reader has gone. With the last one the run ends, at once or after a while. */
  leave(outlet: Outlet): void {
    if (this.#outlets.delete(outlet)) this.#endWhenAlone()
  }

  #endWhenAlone(): void {
    if (this.#outlets.size + this.#arrivals.size > 0 || this.#ended) return
    clearTimeout(this.#leaving)
    if (this.#detachedMs <= 0) this.abort('left')
    else this.#leaving = setTimeout(() => this.abort('left'), this.#detachedMs)
  }

  abort(reason: EndReason): void {
    clearTimeout(this.#leaving)
    this.#controller.abort(reason)
  }

  /** Tells every reader. Gives a promise while none of them can take more. */
  emit = (event: StreamEvent): Promise<void> | undefined => {
    const one = this.#framer.frame(event)
    this.#replay.add(event, one.length)
    for (const meanwhile of this.#arrivals) meanwhile.push(one)
    let enough = this.#outlets.size > 0
    for (const outlet of this.#outlets) {
      outlet.write(one)
      if (outlet.wanted) enough = false
    }
    if (this.#outlets.size > 1 && !enough) this.#letGoOfTheSlow()
    return enough && !this.signal.aborted ? this.#whenWanted() : undefined
  }

  /** Ends every reader's stream. */
  end(): void {
    this.#ended = true
    clearTimeout(this.#leaving)
    for (const outlet of this.#outlets) outlet.end()
    this.#outlets.clear()
  }

  async #whenWanted(): Promise<void> {
    let stop: () => void = () => undefined
    const aborted = new Promise<void>(resolve => {
      stop = resolve
      this.signal.addEventListener('abort', stop, { once: true })
    })
    await Promise.race([aborted, ...[...this.#outlets].map(outlet => outlet.whenWanted())])
    this.signal.removeEventListener('abort', stop)
  }

  #letGoOfTheSlow(): void {
    for (const outlet of this.#outlets) {
      if (outlet.behind <= tooFarBehind) continue
      this.#outlets.delete(outlet)
      outlet.stream.destroy()
    }
  }
}
