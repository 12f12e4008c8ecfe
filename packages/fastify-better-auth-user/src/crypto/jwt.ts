import { errors } from '../errors.ts'
import type { Claims } from '../types.ts'

/**
 * Checks the signature of a compact JWS under keys and algorithms it was made with, and returns the payload.
 * Throws whatever it likes: every failure becomes a 401.
 */
export type JwtEngine = (token: string) => unknown

/** The claims a token must carry to be ours. */
export interface ClaimRules {
  /** Accepted issuers; `null` leaves `iss` unchecked. */
  issuer: readonly string[] | null
  /** Accepted audiences; `null` leaves `aud` unchecked. */
  audience: readonly string[] | null
  /** Allowed clock skew, in seconds. */
  clockTolerance: number
}

type Payload = Record<string, unknown>

/** Longest subject or e-mail looked up, in characters. */
const MAX_NAME_LENGTH = 255

/**
 * The header of a compact JWS, or `null` when the text is not one: three segments of unpadded base64url, the first of
 * which is a JSON object with an `alg`. Tells a JWT from a session token; proves nothing.
 */
export function readJwtHeader(token: string): Payload | null {
  if (!/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/.test(token)) return null
  const header = parseObject(token.slice(0, token.indexOf('.')))
  return header !== null && typeof header.alg === 'string' ? header : null
}

/**
 * Checks an HS256 token's signature, header, times and origin, and says whom it speaks for.
 *
 * @param engine verifies with HS256 only, under the shared secret.
 * @param now current time, in milliseconds since the epoch.
 * @returns claims; the user has not been looked up.
 * @throws FST_BAU_TOKEN_EXPIRED `exp` is at or before now minus the tolerance.
 * @throws FST_BAU_CREDENTIAL_INVALID anything else; the cause says what.
 * @see RFC 8725 §3.1 for why the algorithm is the engine's and not the header's.
 */
export function verifyHs256(token: string, engine: JwtEngine, rules: ClaimRules, now: number): Claims {
  const header = readJwtHeader(token)
  if (header === null) throw invalid('not a compact JWS')
  if (header.alg !== 'HS256') throw invalid('signed with an algorithm that is not accepted')
  // Session caches, logout tokens and OAuth access tokens name themselves in `typ` (RFC 8725 §3.11).
  if (header.typ !== undefined && !(typeof header.typ === 'string' && /^(application\/)?jwt$/i.test(header.typ))) {
    throw invalid('a token of another type')
  }
  if (header.crit !== undefined || header.b64 !== undefined) throw invalid('header asks for an unknown extension')
  const payload = payloadOf(token, engine)
  checkTimes(payload, rules.clockTolerance, Math.floor(now / 1000))
  checkOrigin(payload, rules)
  refuseOtherPurposes(payload)
  return subjectOf(payload, rules.issuer !== null)
}

function payloadOf(token: string, engine: JwtEngine): Payload {
  let payload: unknown
  try {
    payload = engine(token)
  } catch (cause) {
    // The engine may notice the expiry before we do; it has verified the signature by then.
    if (codeOf(cause) === 'FAST_JWT_EXPIRED') throw expired(cause)
    throw invalid('the signature or a claim was refused', cause)
  }
  if (!isObject(payload)) throw invalid('payload is not an object')
  return payload
}

function checkTimes({ exp, nbf, iat }: Payload, tolerance: number, now: number): void {
  if (!isSeconds(exp)) throw invalid('exp is missing or not a time')
  if (exp <= now - tolerance) throw expired()
  if (nbf !== undefined && !(isSeconds(nbf) && nbf <= now + tolerance)) throw invalid('not valid yet')
  if (iat !== undefined && !(isSeconds(iat) && iat <= now + tolerance)) throw invalid('issued in the future')
}

function checkOrigin({ iss, aud, cnf }: Payload, { issuer, audience }: ClaimRules): void {
  if (issuer !== null && !(typeof iss === 'string' && issuer.includes(iss))) throw invalid('from another issuer')
  if (audience !== null) {
    const audiences = Array.isArray(aud) ? aud : [aud]
    if (!audiences.some(one => typeof one === 'string' && audience.includes(one))) throw invalid('for another audience')
  }
  // Bound to a key the caller did not prove to hold (RFC 9449 §7.2).
  if (cnf !== undefined) throw invalid('a sender-constrained token presented as a bearer token')
}

/** Better Auth and its users sign other things with the same secret: session caches, e-mail links, one-purpose tokens. */
function refuseOtherPurposes(payload: Payload): void {
  for (const claim of ['session', 'user', 'requestType', 'updateTo', 'type', 'purpose']) {
    if (payload[claim] !== undefined) throw invalid('made for another purpose')
  }
}

function subjectOf(payload: Payload, issuerChecked: boolean): Claims {
  const { sub, user_id, sid, email } = payload
  if (sub !== undefined && user_id !== undefined && sub !== user_id) throw invalid('sub and user_id disagree')
  const subject = sub ?? user_id
  if (subject !== undefined) {
    if (!isName(subject)) throw invalid('sub is not a text')
    if (sid !== undefined && !isName(sid)) throw invalid('sid is not a text')
    return { by: 'subject', subject, sessionId: sid ?? null, email: isName(email) ? email : null }
  }
  // An e-mail verification link has exactly this shape, but no issuer.
  if (issuerChecked && isName(email)) return { by: 'email', email: email.toLowerCase() }
  throw invalid('names no user')
}

function invalid(why: string, cause?: unknown): Error {
  return Object.assign(new errors.FST_BAU_CREDENTIAL_INVALID(), { cause: new Error(why, { cause }) })
}

function expired(cause?: unknown): Error {
  return Object.assign(new errors.FST_BAU_TOKEN_EXPIRED(), { cause: new Error('exp has passed', { cause }) })
}

function parseObject(segment: string): Payload | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString())
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whole seconds of a sane epoch: a time in milliseconds is a mistake, not a token that lives for ever. */
function isSeconds(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 1e11
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH
}

function codeOf(error: unknown): unknown {
  return isObject(error) ? error.code : undefined
}
