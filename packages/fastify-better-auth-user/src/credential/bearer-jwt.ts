import { type JwtHeader, readJwtHeader } from '../crypto/jwt.ts'
import { invalid } from '../errors.ts'
import type { Claims } from '../types.ts'
import type { CredentialKind, TokenReader } from './credential.ts'

/** Verifies the JWTs of one issuer. Each has keys and algorithms of its own, so none can be talked into another's. */
export interface JwtVerifier {
  /** Whether a token with this header is this verifier's business; proves nothing. */
  accepts(header: JwtHeader): boolean
  verify(token: string, header: JwtHeader): Claims | Promise<Claims>
}

/** A JWT as bearer token. A token that is no JWT is left to the kinds after this one. */
export function bearerJwt(readToken: TokenReader, verifiers: readonly JwtVerifier[]): CredentialKind {
  return {
    name: 'bearer-jwt',
    extract(source) {
      const token = readToken(source)
      return typeof token === 'string' && readJwtHeader(token) === null ? null : token
    },
    verify(token) {
      const header = readJwtHeader(token)
      const verifier = header === null ? undefined : verifiers.find(one => one.accepts(header))
      if (header === null || verifier === undefined) throw invalid('signed with an algorithm that is not accepted')
      return verifier.verify(token, header)
    }
  }
}
