import { isSignedBy, splitSignedValue } from '../crypto/signed-value.ts'
import { invalid } from '../errors.ts'
import type { Claims, Proof } from '../types.ts'
import { type CredentialKind, type TokenReader, timeless } from './credential.ts'
import type { Proofs } from './proofs.ts'

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
  proofs: Proofs,
  { requireSignature = false, alsoReadAs }: BearerSessionOptions = {}
): CredentialKind {
  return {
    name: 'bearer-session',
    headers: readToken.headers,
    nameOf: ({ by }) => (by === 'session-token' || alsoReadAs === undefined ? 'bearer-session' : alsoReadAs.name),
    extract: readToken,
    verify: credential => proofs.recall(credential) ?? prove(credential)
  }

  function prove(credential: string): Proof {
    const signed = splitSignedValue(credential)
    if (signed === null) return readRaw(credential)
    if (!isSignedBy(secrets, signed.value, signed.signature)) {
      throw invalid(secrets.length === 0 ? 'a signed token, but no secret is configured' : 'signed with another secret')
    }
    const proof = timeless({ by: 'session-token', sessionToken: signed.value })
    proofs.keep(credential, proof)
    return proof
  }

  /** Not kept: anybody can make up such tokens, and nothing was computed. */
  function readRaw(credential: string): Proof {
    const other = alsoReadAs === undefined ? [] : [alsoReadAs.read(credential)]
    if (!requireSignature) return timeless({ by: 'session-token', sessionToken: credential }, ...other)
    if (other.length > 0) return timeless(...other)
    throw invalid('the token is not signed')
  }
}
