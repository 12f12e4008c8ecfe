import { createHmac } from 'node:crypto'

/**
 * The one thing wrong with a session credential:
 * `signature`: signed with another secret; `unsigned`: not signed at all; `unknown`: well signed, for a session that
 * nobody has.
 */
export type SessionFault = 'signature' | 'unsigned' | 'unknown'

export interface SignSessionTokenOptions {
  /** @default nothing is wrong with it */
  bad?: SessionFault | undefined
}

export interface SignSessionCookieOptions extends SignSessionTokenOptions {
  /** Name of the cookie; over https, Better Auth's begins with `__Secure-`. @default 'better-auth.session_token' */
  name?: string | undefined
}

/** What is wrong with a session credential, by name. */
export const sessionFaults: readonly SessionFault[] = ['signature', 'unsigned', 'unknown']

/** What no service's secret is. */
const ANOTHER_SECRET = 'another-secret-that-no-service-has-been-given'
const UNKNOWN_TOKEN = 'a-session-token-that-nobody-has'

/**
 * A signed session token, as Better Auth's `set-auth-token` header carries it: send it as `Authorization: Bearer`.
 *
 * @param token the raw token, of `store.addSession()` or of a sign-in.
 * @throws TypeError for a fault nobody knows.
 */
export function signSessionToken(token: string, secret: string, { bad }: SignSessionTokenOptions = {}): string {
  if (bad !== undefined && !sessionFaults.includes(bad)) {
    throw new TypeError(`bad: "${bad}" is none of ${sessionFaults.join(', ')}`)
  }
  const value = bad === 'unknown' ? UNKNOWN_TOKEN : token
  if (bad === 'unsigned') return value
  const signature = createHmac('sha256', bad === 'signature' ? ANOTHER_SECRET : secret).update(value)
  return `${value}.${signature.digest('base64')}`
}

/** The `Cookie` header a browser sends once its user has signed in. */
export function signSessionCookie(
  token: string,
  secret: string,
  { name = 'better-auth.session_token', ...fault }: SignSessionCookieOptions = {}
): string {
  return `${name}=${encodeURIComponent(signSessionToken(token, secret, fault))}`
}
