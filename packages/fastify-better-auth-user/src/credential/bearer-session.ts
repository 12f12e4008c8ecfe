import { isSignedBy, splitSignedValue } from '../crypto/signed-value.ts'
import { errors } from '../errors.ts'
import { bearerToken } from '../http/authorization.ts'
import type { CredentialKind } from './credential.ts'

/**
 * A session token as `Authorization: Bearer`: raw, as sign-in answers it in its body, or signed, as the `set-auth-token`
 * header carries it (percent-encoded or not). A raw token proves nothing by itself; the database row does.
 *
 * @param secrets verify signed tokens; without any, those are refused.
 */
export function bearerSession(secrets: readonly string[]): CredentialKind {
  return {
    name: 'bearer-session',
    extract: bearerToken,
    verify(credential) {
      const signed = splitSignedValue(credential)
      if (signed === null) return { by: 'session-token', sessionToken: credential }
      if (!isSignedBy(secrets, signed.value, signed.signature)) {
        const cause = new Error(
          secrets.length === 0 ? 'a signed token, but no secret is configured' : 'signed with another secret'
        )
        throw Object.assign(new errors.FST_BAU_CREDENTIAL_INVALID(), { cause })
      }
      return { by: 'session-token', sessionToken: signed.value }
    }
  }
}
