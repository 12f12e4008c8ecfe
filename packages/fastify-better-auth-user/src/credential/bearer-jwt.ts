import { type JwtVerifier, readJwtHeader } from '../crypto/jwt.ts'
import { invalid } from '../errors.ts'
import type { CredentialKind, TokenReader } from './credential.ts'

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
