import { isSignedBy, splitSignedValue } from '../crypto/signed-value.ts'
import { invalid } from '../errors.ts'
import type { Claims } from '../types.ts'
import type { CredentialKind, TokenReader } from './credential.ts'

export interface BearerSessionOptions {
  /** Accept signed tokens only, as Better Auth's bearer plugin can be told, too. @default false */
  requireSignature?: boolean | undefined
  /** Another reading of an unsigned token, for kinds that look the same; asked for when no session has the token. */
  alsoReadAs?: { name: string; read(token: string): Claims } | undefined
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
  { requireSignature = false, alsoReadAs }: BearerSessionOptions = {}
): CredentialKind {
  return {
    name: 'bearer-session',
    nameOf: ({ by }) => (by === 'session-token' || alsoReadAs === undefined ? 'bearer-session' : alsoReadAs.name),
    extract: readToken,
    verify(credential) {
      const signed = splitSignedValue(credential)
      if (signed === null) {
        const other = alsoReadAs === undefined ? [] : [alsoReadAs.read(credential)]
        if (!requireSignature) return [{ by: 'session-token', sessionToken: credential }, ...other]
        if (other.length > 0) return other
        throw invalid('the token is not signed')
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
