import { invalid } from '../errors.ts'
import type { Claims, Proof } from '../types.ts'
import { type ClaimRules, checkClaims, isName, isPlainJwt, type JwtHeader, type Payload, proofOf } from './jwt.ts'

/** The payload of a compact JWS with HS256 under one of the shared secrets, its claims unchecked; throws whatever it likes. */
export type Hs256Engine = (token: string) => unknown

/**
 * Verifies a token signed with HS256 under Better Auth's secret, and says whom it speaks for.
 *
 * @returns what it proves; the user has not been looked up.
 * @throws FST_BAU_TOKEN_EXPIRED, FST_BAU_CREDENTIAL_INVALID
 */
export function verifyHs256(
  token: string,
  header: JwtHeader,
  engine: Hs256Engine,
  rules: ClaimRules,
  now: number
): Proof {
  if (header.alg !== 'HS256') throw invalid('signed with an algorithm that is not accepted')
  if (!isPlainJwt(header)) throw invalid('a token of another type')
  const payload = checkClaims(verified(token, engine), rules, now)
  refuseOtherPurposes(payload)
  return proofOf(subjectOf(payload, rules.issuer !== null), payload, rules)
}

function verified(token: string, engine: Hs256Engine): unknown {
  try {
    return engine(token)
  } catch (cause) {
    throw invalid('the signature was refused', cause)
  }
}

/** Better Auth and its users sign other things with the same secret: session caches, e-mail links, one-purpose tokens. */
function refuseOtherPurposes(payload: Payload): void {
  for (const claim of ['session', 'user', 'requestType', 'updateTo', 'type', 'purpose']) {
    if (payload[claim] !== undefined) throw invalid('made for another purpose')
  }
}

function subjectOf({ sub, user_id, sid, email }: Payload, issuerChecked: boolean): Claims {
  if (sub !== undefined && user_id !== undefined && sub !== user_id) throw invalid('sub and user_id disagree')
  // Not `??`: a subject that is null has not been left out.
  const subject = sub === undefined ? user_id : sub
  if (subject !== undefined) {
    if (!isName(subject)) throw invalid('sub is not a text')
    if (sid !== undefined && !isName(sid)) throw invalid('sid is not a text')
    return { by: 'subject', subject, sessionId: sid ?? null, email: isName(email) ? email : null }
  }
  // Which session is meant cannot be looked up by e-mail, and any other would be more than the token asserts.
  if (sid !== undefined) throw invalid('names a session, but no user')
  // An e-mail verification link has exactly this shape, but no issuer.
  if (issuerChecked && isName(email)) return { by: 'email', email: email.toLowerCase() }
  throw invalid('names no user')
}
