import { channel } from 'node:diagnostics_channel'
import { debuglog } from 'node:util'
import type { ErrorCode } from './errors.ts'

/** How far a request got: reading the credential, verifying it, finding the rows, checking that the user may act. */
export type Stage = 'extract' | 'verify' | 'find' | 'standing' | 'done'

/** Why one request was let in or refused. Holds no credential, no e-mail and no name, so it may be logged as it is. */
export interface AuthDecision {
  outcome: 'authenticated' | 'anonymous' | 'rejected' | 'unavailable'
  /** Name of the credential kind that was found, `null` when the request carried none. */
  kind: string | null
  /** The stage that decided. */
  stage: Stage
  /** The error's code, `null` when nothing was refused. */
  code: ErrorCode | null
  /** What went wrong, in words for an operator; never sent to the client. */
  reason: string | null
  userId: string | null
  /** The session row's id, never its token. */
  sessionId: string | null
  sessionCount: number
  durationMs: number
}

/** Name of the diagnostics channel on which every {@link AuthDecision} is published. */
export const DECISION_CHANNEL = 'fastify-better-auth-user:decision'

const decisions = channel(DECISION_CHANNEL)
const debug = debuglog('better-auth-user')

/**
 * Publishes to whoever subscribed with `node:diagnostics_channel`, and prints with `NODE_DEBUG=better-auth-user`; costs
 * nothing when nobody did either.
 */
export function publish(decision: AuthDecision): void {
  if (decisions.hasSubscribers) decisions.publish(decision)
  if (debug.enabled) debug('%s', sentence(decision))
}

/** `session-cookie → verify: rejected, FST_BAU_CREDENTIAL_INVALID (signed with another secret), 0.35 ms` */
function sentence({ outcome, kind, stage, code, reason, userId, durationMs }: AuthDecision): string {
  const who = userId === null ? '' : `, user ${userId}`
  const why = code === null ? '' : `, ${code} (${reason})`
  return `${kind ?? 'no credential'} → ${stage}: ${outcome}${who}${why}, ${durationMs.toFixed(2)} ms`
}
