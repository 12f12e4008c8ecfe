import { isSignedBy, splitSignedValue } from '../crypto/signed-value.ts'
import { invalid } from '../errors.ts'
import type { CredentialKind, TokenReader } from './credential.ts'

export interface BearerSessionOptions {
  /** Accept signed tokens only, as Better Auth's bearer plugin can be told, too. @default false */
  requireSignature?: boolean | undefined
}

/**
 * A session token as bearer token: raw, as sign-in answers it in its body, or signed, as the `set-auth-token` header
 * carries it (percent-encoded or not). A raw token proves nothing by itself; the database row does.
 *
 * @param secrets verify signed tokens; without any, those are refused.
 */
export function bearerSession(
  readToken: TokenReader,
  secrets: readonly string[],
  { requireSignature = false }: BearerSessionOptions = {}
): CredentialKind {
  return {
    name: 'bearer-session',
    extract: readToken,
    verify(credential) {
      const signed = splitSignedValue(credential)
      if (signed === null) {
        if (requireSignature) throw invalid('the token is not signed')
        return { by: 'session-token', sessionToken: credential }
      }
      if (!isSignedBy(secrets, signed.value, signed.signature)) {
        throw invalid(
          secrets.length === 0 ? 'a signed token, but no secret is configured' : 'signed with another secret'
        )
      }
      return { by: 'session-token', sessionToken: signed.value }
    }
  }
}
