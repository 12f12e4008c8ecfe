import type { HttpConnection } from './process/http-connection.ts'

/** How one server took a revocation. */
export interface Taken {
  /** From its effect to the end of the first answer that refused. */
  refusedAfterMs: number
  /** Requests that were begun after that, and served. */
  servedAfterwards: number
  /** Requests that were begun before that, and after the effect, and served. */
  servedMeanwhile: number
}

/** Which answers refuse: no credential any more, nobody's, or no standing. */
const REFUSALS = new Set([401, 403, 404])
/** Requests after the first refusal. */
const AFTERWARDS = 5
const LIMIT_MS = 10_000

/**
 * Asks one server, one request after the other, until it refuses, and a few times more.
 *
 * @param effect when the revocation took effect, by `performance.now()`.
 * @throws Error for an answer that neither serves nor refuses, and when it is served for ten seconds.
 */
export async function watch(connection: HttpConnection, request: string, effect: number): Promise<Taken> {
  let servedMeanwhile = 0
  for (;;) {
    const begun = performance.now()
    if (!(await isServed(connection, request))) break
    if (begun > effect) servedMeanwhile++
    if (begun > effect + LIMIT_MS) throw new Error('Somebody revoked is still served')
  }
  const refusedAfterMs = performance.now() - effect
  let servedAfterwards = 0
  for (let times = 0; times < AFTERWARDS; times++) if (await isServed(connection, request)) servedAfterwards++
  return { refusedAfterMs, servedAfterwards, servedMeanwhile }
}

/** @throws Error for an answer that neither serves nor refuses. */
export async function isServed(connection: HttpConnection, request: string): Promise<boolean> {
  const { status, body } = await connection.send(request)
  if (status !== 200 && !REFUSALS.has(status)) throw new Error(`Answered ${status} ${body}`)
  return status === 200
}
