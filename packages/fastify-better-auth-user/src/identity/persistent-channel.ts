import { type Breakable, breakable } from './breakable.ts'
import { Told } from './connection-errors.ts'
import type { RevocationChannel, RevocationListener } from './revocations.ts'

/** One connection's life, from the attempt to have one to its end. */
export interface Life extends RevocationListener, Breakable {}

export interface PersistentChannelOptions {
  /** Lives once. Always ends as a throw: the reason why nothing is told any more. */
  live(life: Life): Promise<never>
  /** The reason as a sentence with its cure. */
  sentenceOf(error: unknown): string
  /** What is wrong although it works. */
  worries?: (() => string[]) | undefined
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000

/** A channel that keeps trying, with growing pauses, for as long as it is open. Its timers keep no process alive. */
export function persistentChannel({
  live,
  sentenceOf,
  worries = () => []
}: PersistentChannelOptions): RevocationChannel {
  let current: { stop(): Promise<void> } | null = null
  let problem: string | null = 'The revocation channel is not open: open it when the service starts.'

  return {
    async open(listener) {
      if (current !== null) throw new Error('The revocation channel is open already')
      problem = 'The revocation channel has not connected yet: wait a moment.'
      const run = start(listener)
      current = run
      await run.firstAttempt
    },
    async close() {
      const closing = current
      current = null
      problem = 'The revocation channel is closed: open it again.'
      await closing?.stop()
    },
    check: async () => (problem === null ? worries() : [problem])
  }

  function start(listener: RevocationListener) {
    const stopping = new AbortController()
    // While somebody waits for the first attempt, the process goes on.
    const alive = setInterval(() => {}, 1000)
    let attempted = () => {}
    const firstAttempt = new Promise<void>(resolve => {
      attempted = () => {
        clearInterval(alive)
        resolve()
      }
    })
    const running = run(listener, stopping.signal, attempted)
    return {
      firstAttempt,
      async stop() {
        stopping.abort()
        await running
      }
    }
  }

  async function run(listener: RevocationListener, stopping: AbortSignal, attempted: () => void): Promise<void> {
    let failures = 0
    const told: RevocationListener = {
      changed(change) {
        if (!stopping.aborted) listener.changed(change)
      },
      trusted(until) {
        if (stopping.aborted) return
        failures = 0
        problem = null
        listener.trusted(until)
        attempted()
      },
      lost(reason) {
        if (stopping.aborted) return
        const known = reason === problem
        problem = reason
        if (!known) listener.lost(reason)
        attempted()
      }
    }
    while (!stopping.aborted) {
      let pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++)
      const waits = breakable()
      const stop = () => waits.fail(new Error('the channel was closed'))
      stopping.addEventListener('abort', stop)
      try {
        await live({ ...told, ...waits })
      } catch (error) {
        told.lost(sentenceOf(error))
        if (error instanceof Told && error.retryMs !== null) pauseMs = error.retryMs
      }
      stopping.removeEventListener('abort', stop)
      // Not all services at the same instant.
      await interruptible(pauseMs * (0.5 + Math.random() / 2), stopping)
    }
    attempted()
  }
}

function interruptible(ms: number, stopping: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      stopping.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms).unref()
    if (stopping.aborted) done()
    else stopping.addEventListener('abort', done)
  })
}
