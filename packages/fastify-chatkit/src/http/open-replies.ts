import { once } from 'node:events'
import type { FastifyReply } from 'fastify'

type Raw = FastifyReply['raw']

/** Streams that are not read to their end yet, whether or not there is more to tell. */
export class OpenReplies {
  readonly #open = new Set<Raw>()

  /** @param left aborted when the reader has gone already. */
  add({ raw }: FastifyReply, left: AbortSignal): void {
    // Its `close` is over, and it would be kept for good.
    if (left.aborted) return
    this.#open.add(raw)
    raw.once('close', () => this.#open.delete(raw))
  }

  /**
   * Lets readers have what was told, but not for long: one who does not read would keep the server from closing. Call it when
   * nothing more is told.
   */
  async close(patienceMs = 2000): Promise<void> {
    const late = AbortSignal.timeout(patienceMs)
    const ends = [...this.#open].map(raw => once(raw, 'close', { signal: late }))
    await Promise.allSettled(ends)
    for (const raw of this.#open) raw.destroy()
  }
}
