/** How often a channel is proved, and for how long a proof holds. */
export interface Pace {
  heartbeatMs: number
  /** A heartbeat that has not been heard by then never will be. */
  leaseMs: number
  /**
   * What a heartbeat proves that has been heard just now.
   *
   * @param sentAt instant of `performance.now()`.
   * @returns until when it holds, likewise.
   */
  prove(sentAt: number): number
  /** How long an answer may take, in milliseconds, before it counts as none. */
  patience(): number
}

/** A heartbeat may come so much later than expected before anybody is looked up because of it, in milliseconds. */
const SLACK_MS = 250

/**
 * Proofs hold until the next one is due: an interval, and twice as long as heartbeats have lately taken at the most, never
 * longer than `leaseMs`. On a good network that is little more than the interval. Where heartbeats become slow it grows with
 * them, so that a database that is slow for a while is not asked more for that.
 *
 * @throws TypeError for a pace that cannot work.
 */
export function paceOf({
  heartbeatMs = 1000,
  leaseMs = 2 * heartbeatMs
}: {
  heartbeatMs?: number | undefined
  leaseMs?: number | undefined
}): Pace {
  if (!(heartbeatMs >= 1000)) throw new TypeError('heartbeatMs must be 1000 or more')
  if (!(leaseMs > heartbeatMs)) throw new TypeError('leaseMs must be longer than heartbeatMs')
  let slowestMs = 0
  return {
    heartbeatMs,
    leaseMs,
    prove(sentAt) {
      // Forgotten by and by: half of it within seven heartbeats.
      slowestMs = Math.max(performance.now() - sentAt, 0.9 * slowestMs)
      return sentAt + Math.min(leaseMs, heartbeatMs + patience())
    },
    patience
  }

  function patience(): number {
    return Math.max(SLACK_MS, 2 * slowestMs)
  }
}
