import { errors } from '../errors.ts'
import type { Gate } from './gate.ts'
import { type Caller, type Guard, userGuard } from './guard.ts'
import { onlyKnown } from './param.ts'

export interface FreshSessionOptions {
  /** Greatest age of the sign-in, in seconds. */
  maxAge: number
}

/**
 * Lets through users who signed in a short while ago; others are told to sign in again (step-up, RFC 9470). For what
 * a stolen laptop should not be able to do.
 *
 * @throws TypeError without a sensible `maxAge`.
 */
export function requireFreshSession(gate: Gate, options: FreshSessionOptions): Guard {
  onlyKnown('requireFreshSession', options, ['maxAge'])
  const { maxAge } = options
  if (!(Number.isInteger(maxAge) && maxAge > 0)) {
    throw new TypeError('requireFreshSession: maxAge is a whole number of seconds above 0')
  }
  return userGuard(gate, { forbids: false }, caller => {
    const signedInAt = signInOf(caller)
    if (signedInAt === null || Date.now() - signedInAt.getTime() > maxAge * 1000) {
      throw Object.assign(new errors.FST_BAU_SESSION_NOT_FRESH(), { maxAge })
    }
  })
}

/** When the caller's own session began. A JWT that names no session may come from any, so nothing is known of its age. */
function signInOf({ session, claims }: Caller): Date | null {
  const named = claims.by === 'session-token' || (claims.by === 'subject' && claims.sessionId !== null)
  // An impersonated session is as young as the impersonation, not as the user's own sign-in.
  return named && session !== null && session.impersonatedBy === null ? session.createdAt : null
}
