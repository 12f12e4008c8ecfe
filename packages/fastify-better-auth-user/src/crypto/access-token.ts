import { invalid } from '../errors.ts'
import type { Proof } from '../types.ts'
import { type ClaimRules, checkClaims, isName, type JwtHeader, proofOf } from './jwt.ts'
import type { KeySet } from './key-set.ts'
import { verifyByKeySet } from './key-set-jwt.ts'

/** Whether the header says "OAuth access token" (RFC 9068 §2.1); proves nothing. */
export function isAccessToken({ typ }: JwtHeader): boolean {
  return typeof typ === 'string' && /^(application\/)?at\+jwt$/i.test(typ)
}

/**
 * Verifies a JWT access token of Better Auth's OAuth provider against the issuer's keys, and says for whom which client
 * may do what.
 *
 * @param rules issuer and audience must not be `null`: both are required here.
 * @returns what it proves; user, session and client have not been looked up.
 * @throws FST_BAU_TOKEN_EXPIRED, FST_BAU_CREDENTIAL_INVALID, FST_BAU_KEYS_UNAVAILABLE
 * @see RFC 9068 §2.2 for the claims, §4 for their validation
 */
export async function verifyAccessToken(
  token: string,
  header: JwtHeader,
  keys: KeySet,
  rules: ClaimRules,
  now: number
): Promise<Proof> {
  if (!isAccessToken(header)) throw invalid('a token of another type')
  const verified = await verifyByKeySet(token, header, keys)
  const payload = checkClaims(verified.payload, rules, now)
  const { sub, client_id: clientId, iat, jti, scope = '' } = payload
  // Better Auth writes `null` once a refreshed token has outlived its session.
  const sid = payload.sid ?? null
  if (iat === undefined || !isName(jti) || !isName(clientId)) throw invalid('iat, jti or client_id is missing')
  if (!isName(sub)) throw invalid('names no user')
  // A client that acts for itself puts its own id there (RFC 9068 §5).
  if (sub === clientId) throw invalid('speaks for a client, not for a user')
  if (sid !== null && !isName(sid)) throw invalid('sid is not a text')
  if (typeof scope !== 'string') throw invalid('scope is not a text')
  const scopes = scope.split(' ').filter(one => one !== '')
  const grant = { clientId, scopes }
  return proofOf({ by: 'oauth-grant', subject: sub, sessionId: sid, grant }, payload, rules, verified.isCurrent)
}
