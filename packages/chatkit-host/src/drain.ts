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

/** What an answer whose last words are under way has, in milliseconds, before its connection is cut. */
const LAST_WORDS_MS = 2000

/**
 * For the end of an application, after everything else was added to it: its other parts have ended their answers by then, and
 * these have a moment to arrive. Then Fastify cuts every connection, or one half of a request, never sent on, would hold it up.
 */
export async function endInTime(app: FastifyInstance, drain: Drain): Promise<void> {
  // In a scope of its own: those that were made before it are closed before it.
  await app.register(async scope => {
    scope.addHook('preClose', () => drain.begin(LAST_WORDS_MS))
  })
}
