import { once } from 'node:events'
import type { FastifyReply } from 'fastify'

type Raw = FastifyReply['raw']

/** Streams that are not read to their end yet, whether or not there is more to tell. */
export class OpenReplies {
  readonly #open = new Set<Raw>()

  add(reply: FastifyReply): void {
    const { raw } = reply
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
