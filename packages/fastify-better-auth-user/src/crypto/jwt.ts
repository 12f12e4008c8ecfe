import { errors, invalid, withCause } from '../errors.ts'
import type { Claims, Proof } from '../types.ts'

export type Payload = Record<string, unknown>

/** What a token must say to be ours, whoever signed it. */
export interface ClaimRules {
  /** Accepted issuers; `null` leaves `iss` unchecked. */
  issuer: readonly string[] | null
  /** Accepted audiences; `null` leaves `aud` unchecked. */
  audience: readonly string[] | null
  /** Allowed clock skew, in seconds. */
  clockTolerance: number
}

/** A checked JWS header. */
export interface JwtHeader {
  alg: string
  typ: unknown
  kid: unknown
}

/** Verifies the JWTs of one issuer. Each has keys and algorithms of its own, so none can be talked into another's. */
export interface JwtVerifier {
  /** Whether a token with this header is this verifier's business; proves nothing. */
  accepts(header: JwtHeader): boolean
  verify(token: string, header: JwtHeader): Proof | Promise<Proof>
}

/** Longest name (subject, session id, e-mail) looked up, in characters. */
const MAX_NAME_LENGTH = 255

/**
 * The header of a compact JWS, or `null` when the text is not one: three segments of unpadded base64url, the first of
 * which is a JSON object with an `alg`. Tells a JWT from a session token; proves nothing.
 */
export function readJwtHeader(token: string): JwtHeader | null {
  if (!/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/.test(token)) return null
  const header = parseObject(token.slice(0, token.indexOf('.')))
  if (header === null || typeof header.alg !== 'string') return null
  const { alg, typ, kid } = header
  // Extensions that must be understood are not (RFC 7515 §4.1.11, RFC 7797).
  const understood = header.crit === undefined && header.b64 === undefined
  return { alg: understood && isCanonical(token.slice(token.lastIndexOf('.') + 1)) ? alg : 'none', typ, kid }
}

/** Base64url may end in bits that decode to nothing (RFC 4648 §3.5): a signature has one spelling, or a token would have several. */
function isCanonical(segment: string): boolean {
  return Buffer.from(segment, 'base64url').toString('base64url') === segment
}

/**
 * Whether the header says "JWT" or nothing. Session caches, logout tokens and OAuth access tokens name themselves in
 * `typ` and are something else (RFC 8725 §3.11).
 */
export function isPlainJwt({ typ }: JwtHeader): boolean {
  return typ === undefined || (typeof typ === 'string' && /^(application\/)?jwt$/i.test(typ))
}

/**
 * Checks times and origin of a payload whose signature has been verified.
 *
 * @param now current time, in milliseconds since the epoch.
 * @throws FST_BAU_TOKEN_EXPIRED `exp` is at or before now minus the tolerance.
 * @throws FST_BAU_CREDENTIAL_INVALID anything else; the cause says what.
 * @see RFC 7519 §4.1
 */
export function checkClaims(payload: unknown, rules: ClaimRules, now: number): Payload {
  if (!isObject(payload)) throw invalid('payload is not an object')
  checkTimes(payload, rules.clockTolerance, Math.floor(now / 1000))
  checkOrigin(payload, rules)
  return payload
}

/**
 * What a checked payload proves: the claims, for as long as `checkClaims` would let the payload pass.
 *
 * @param isCurrent whether the key is still the issuer's. @default it always is
 */
export function proofOf(
  claims: Claims,
  { exp, nbf, iat }: Payload,
  { clockTolerance }: ClaimRules,
  isCurrent?: () => boolean
): Proof {
  const from = Math.max(Number(nbf ?? 0), Number(iat ?? 0)) - clockTolerance
  const until = Number(exp) + clockTolerance
  return { claims: [claims], from: from * 1000, until: until * 1000, ...(isCurrent && { isCurrent }) }
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

/** A genuine token whose time is over. */
export function expired(cause?: unknown): Error {
  return withCause(new errors.FST_BAU_TOKEN_EXPIRED(), new Error('exp has passed', { cause }))
}

/** A text that can be looked up. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH
}

function isObject(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whole seconds of a sane epoch: a time in milliseconds is a mistake, not a token that lives for ever. */
function isSeconds(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 1e11
}

function parseObject(segment: string): Payload | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString())
    return isObject(value) ? value : null
  } catch {
    return null
  }
}
