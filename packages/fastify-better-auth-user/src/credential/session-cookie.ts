import { isSignedBy, splitSignedValue } from '../crypto/signed-value.ts'
import { errors } from '../errors.ts'
import { MAX_CREDENTIAL_LENGTH } from '../http/authorization.ts'
import { cookieValue } from '../http/cookies.ts'
import { type CredentialKind, malformed } from './credential.ts'

// Over https the prefixed cookie is the one in use; the plain one beside it is a leftover.
const NAMES = ['__Secure-better-auth.session_token', 'better-auth.session_token']

/**
 * Better Auth's signed session cookie. It must be signed: unlike a bearer token, a cookie value is whatever the last
 * page on a sibling domain wrote.
 */
export function sessionCookie(secrets: readonly string[]): CredentialKind {
  return {
    name: 'session-cookie',
    extract({ headers }) {
      for (const name of NAMES) {
        const value = cookieValue(headers.cookie, name)
        if (value === null) continue
        return value.length > MAX_CREDENTIAL_LENGTH ? malformed('session cookie too long') : value
      }
      return null
    },
    verify(credential) {
      const signed = splitSignedValue(credential)
      if (signed === null) throw refusal('the cookie is not signed')
      if (!isSignedBy(secrets, signed.value, signed.signature)) throw refusal('signed with another secret')
      return { by: 'session-token', sessionToken: signed.value }
    }
  }
}

function refusal(why: string): Error {
  return Object.assign(new errors.FST_BAU_CREDENTIAL_INVALID(), { cause: new Error(why) })
}
