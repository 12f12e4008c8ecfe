import type { FastifyInstance } from 'fastify'

/** Lets a host end without cutting anybody off who would have been done in a moment. */
export interface Drain {
  /** Whether the host has been told to stop. */
  readonly begun: boolean
  /** How many requests are being answered. */
  readonly open: number
  /** Resolves when nothing is being answered any more, or when the time is over. New requests are still answered. */
  begin(timeoutMs: number): Promise<void>
}

/** Counts what is being answered. */
export function watchAnswers(app: FastifyInstance): Drain {
  let open = 0
  let begun = false
  let quiet: () => void = () => {}
  app.addHook('onRequest', async (_request, reply) => {
    open++
    // Not `onResponse`, which is not called for a reader who leaves.
    reply.raw.once('close', () => {
      open--
      if (open === 0) quiet()
    })
  })
  return {
    get begun() {
      return begun
    },
    get open() {
      return open
    },
    async begin(timeoutMs) {
      begun = true
      if (open === 0 || timeoutMs === 0) return
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, timeoutMs)
        quiet = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}
