import type { Queryable } from './queryable.ts'

/**
 * The work's result, when it comes in time. Late work is not stopped, only no longer waited for.
 *
 * @param what is too slow, for the message.
 * @throws Error when the time is up; otherwise whatever the work throws.
 */
export async function withTimeLimit<T>(timeoutMs: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * A database that answers in time, or is given up. The `query_timeout` of `pg` begins when the pool has a connection, and
 * in a network that swallows what is sent a new one takes minutes to fail.
 */
export function timely(database: Queryable, timeoutMs: number): Queryable {
  return {
    query: statement =>
      withTimeLimit(timeoutMs, 'the database', database.query({ ...statement, query_timeout: timeoutMs }))
  }
}
