import { compactVerify } from 'jose'
import { invalid } from '../errors.ts'
import type { Claims, Proof } from '../types.ts'
import { type ClaimRules, checkClaims, isName, isPlainJwt, type JwtHeader, proofOf } from './jwt.ts'
import type { KeySet } from './key-set.ts'
import { isIssued } from './public-key.ts'

/**
 * Verifies a JWT of Better Auth's jwt plugin against the issuer's keys, and says whom it speaks for.
 *
 * @returns what it proves; the user has not been looked up. The session is named only if the application adds a `sid` claim.
 * @throws FST_BAU_TOKEN_EXPIRED, FST_BAU_CREDENTIAL_INVALID, FST_BAU_KEYS_UNAVAILABLE
 */
export async function verifyKeySetJwt(
  token: string,
  header: JwtHeader,
  keys: KeySet,
  rules: ClaimRules,
  now: number
): Promise<Proof> {
  if (!isPlainJwt(header)) throw invalid('a token of another type')
  const verified = await verifyByKeySet(token, header, keys)
  const payload = checkClaims(verified.payload, rules, now)
  const { sub, sid, email, at_hash: atHash } = payload
  // Same keys, no `typ` either; but an ID token tells a client who signed in, and opens nothing (OpenID Connect §3.1.3.6).
  if (atHash !== undefined) throw invalid('an ID token')
  if (!isName(sub)) throw invalid('names no user')
  if (sid !== undefined && !isName(sid)) throw invalid('sid is not a text')
  const claims: Claims = { by: 'subject', subject: sub, sessionId: sid ?? null, email: isName(email) ? email : null }
  return proofOf(claims, payload, rules, verified.isCurrent)
}

/** A payload in which nothing has been checked yet, signed with a key of the set. */
interface VerifiedPayload {
  payload: unknown
  /** Whether the set, as it is known now, still has that key. */
  isCurrent(): boolean
}

/** The payload of a JWS signed with a key of the set; nothing in it has been checked. */
export async function verifyByKeySet(token: string, { alg, kid }: JwtHeader, keys: KeySet): Promise<VerifiedPayload> {
  // Before the key is looked for: a fetch would be more than the token deserves.
  if (!isIssued(alg)) throw invalid('signed with an algorithm that is not accepted')
  if (!isName(kid)) throw invalid('names no key')
  const found = await keys.find(kid)
  if (found === null) throw invalid('signed with an unknown key')
  // The key decides (RFC 8725 §3.1); the header only has to agree.
  if (!found.algorithms.includes(alg)) throw invalid('signed with another algorithm than the key is for')
  try {
    const { payload } = await compactVerify(token, found.key, { algorithms: [...found.algorithms] })
    const text = new TextDecoder('utf-8', { fatal: true }).decode(payload)
    return { payload: JSON.parse(text), isCurrent: () => keys.holds(kid, found) }
  } catch (cause) {
    throw invalid('the signature was refused', cause)
  }
}
