import { isSignedBy, splitSignedValue } from '../crypto/signed-value.ts'
import { invalid } from '../errors.ts'
import { MAX_CREDENTIAL_LENGTH } from '../http/authorization.ts'
import { cookieValue } from '../http/cookies.ts'
import { type CredentialKind, malformed, timeless } from './credential.ts'
import { type Proofs, proven } from './proofs.ts'

/** How this deployment names the cookie, in the words of Better Auth's `advanced` options. */
export interface CookieNames {
  /** @default 'better-auth' */
  cookiePrefix?: string | undefined
  /** The whole name, as in `cookies.session_token.name`; still prefixed with `__Secure-` over https. */
  name?: string | undefined
}

/**
 * Better Auth's signed session cookie. It must be signed: unlike a bearer token, a cookie value is whatever the last
 * page on a sibling domain wrote.
 */
export function sessionCookie(
  secrets: readonly string[],
  proofs: Proofs,
  { cookiePrefix = 'better-auth', name }: CookieNames = {}
): CredentialKind {
  const plain = name === undefined ? [`${cookiePrefix}.session_token`, `${cookiePrefix}-session_token`] : [name]
  // Over https the prefixed cookie is the one in use; the plain one beside it is a leftover.
  const names = [...plain.map(one => `__Secure-${one}`), ...plain]

  return {
    name: 'session-cookie',
    ambient: true,
    headers: ['cookie'],
    extract({ headers }) {
      for (const name of names) {
        const value = cookieValue(headers.cookie, name)
        if (value === null) continue
        return value.length > MAX_CREDENTIAL_LENGTH ? malformed('session cookie too long') : value
      }
      return null
    },
    verify: credential => proven(proofs, credential, verify)
  }

  function verify(credential: string) {
    const signed = splitSignedValue(credential)
    if (signed === null) throw invalid('the cookie is not signed')
    if (!isSignedBy(secrets, signed.value, signed.signature)) throw invalid('signed with another secret')
    return timeless({ by: 'session-token', sessionToken: signed.value })
  }
}
