import { setTimeout as sleep } from 'node:timers/promises'

/** SQLSTATE of `serialization_failure` and `deadlock_detected`: the database undid everything, so that it can be tried again. */
const undone = ['40001', '40P01']
const attempts = 5
const longestPauseMs = 20

/** Does work again that PostgreSQL undid because of somebody else's at the same time. */
export async function despiteContention<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (!undone.includes(code) || attempt === attempts) throw error
      // Never the same for two, lest they meet again.
      await sleep(Math.random() * longestPauseMs)
    }
  }
}
