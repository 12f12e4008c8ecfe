import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type AuthDecision, DECISION_CHANNEL } from 'fastify-better-auth-user'

/** A decision about one request, and when it was made. */
export interface SeenDecision extends AuthDecision {
  /** ISO 8601. */
  at: string
}

/** Kept of each user, and of requests that nobody known sent. */
const MAX_DECISIONS = 30

/** Users of whom decisions are kept: those who were here last. */
const MAX_USERS = 100

/** The last decisions of this process, in memory. */
export interface Decisions {
  /** The newest first. */
  of(userId: string): SeenDecision[]
  /** Of requests that were found to be nobody's. */
  ofNobody(): SeenDecision[]
  close(): void
}

/** Keeps the decisions made from now on, until it is closed. */
export function watchDecisions(): Decisions {
  const users = new Map<string, SeenDecision[]>()
  const nobody: SeenDecision[] = []
  const keep = (message: unknown) => {
    const seen = { ...(message as AuthDecision), at: new Date().toISOString() }
    const kept = seen.userId === null ? nobody : (users.get(seen.userId) ?? [])
    kept.unshift(seen)
    kept.length = Math.min(kept.length, MAX_DECISIONS)
    if (seen.userId === null) return
    // A map keeps the order in which its entries came: whoever was here last is last.
    users.delete(seen.userId)
    users.set(seen.userId, kept)
    for (const [oldest] of users) {
      if (users.size <= MAX_USERS) break
      users.delete(oldest)
    }
  }
  subscribe(DECISION_CHANNEL, keep)
  return {
    of: userId => [...(users.get(userId) ?? [])],
    ofNobody: () => [...nobody],
    close: () => unsubscribe(DECISION_CHANNEL, keep)
  }
}
