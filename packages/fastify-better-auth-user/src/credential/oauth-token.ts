import { isAccessToken } from '../crypto/access-token.ts'
import { digest } from '../crypto/digest.ts'
import { type JwtVerifier, readJwtHeader } from '../crypto/jwt.ts'
import { invalid } from '../errors.ts'
import type { Claims } from '../types.ts'
import { type CredentialKind, type TokenReader, timeless } from './credential.ts'
import { type Proofs, proven } from './proofs.ts'

/** Name in decisions of OAuth access tokens, whatever their form. */
export const OAUTH_TOKEN = 'oauth-token'

export interface OpaqueTokenOptions {
  /** Our names as a resource; a token issued for particular resources must be for one of them. */
  audience: readonly string[]
  /** What every opaque token begins with; the provider's `prefix.opaqueAccessToken`. @default nothing */
  prefix?: string | undefined
  /** How tokens are stored; the provider's `storeTokens`. @default SHA-256, base64url without padding */
  hashToken?: ((token: string) => string) | undefined
}

/**
 * An OAuth access token that can be told from every other token: a JWT that names itself one in `typ`, or an opaque token
 * with a prefix. Opaque tokens without a prefix look like session tokens; those are read in both ways.
 *
 * @param jwt verifies JWT access tokens; `null` leaves them to the kinds after this one.
 * @param opaque `null`: no opaque tokens.
 */
export function oauthToken(
  readToken: TokenReader,
  jwt: JwtVerifier | null,
  opaque: OpaqueTokenOptions | null,
  proofs: Proofs
): CredentialKind {
  const prefix = opaque?.prefix ?? ''
  const isJwt = (token: string) => {
    if (jwt === null) return false
    if (proofs.knows(token)) return true
    const header = readJwtHeader(token)
    return header !== null && isAccessToken(header)
  }
  return {
    name: OAUTH_TOKEN,
    headers: readToken.headers,
    extract(source) {
      const token = readToken(source)
      const ours = typeof token === 'string' && (isJwt(token) || (prefix !== '' && token.startsWith(prefix)))
      return ours ? token : null
    },
    verify(token) {
      if (opaque !== null && prefix !== '' && token.startsWith(prefix)) return timeless(opaqueClaims(token, opaque))
      return proven(proofs, token, verifyJwt)
    }
  }

  function verifyJwt(token: string) {
    const header = readJwtHeader(token)
    if (jwt === null || header === null || !jwt.accepts(header)) throw invalid('of a form that is not accepted')
    return jwt.verify(token, header)
  }
}

/** What an opaque token asserts; the prefix is not part of what is stored. */
export function opaqueClaims(token: string, { audience, prefix = '', hashToken = digest }: OpaqueTokenOptions): Claims {
  return { by: 'oauth-token', tokenHash: hashToken(token.slice(prefix.length)), audience }
}
