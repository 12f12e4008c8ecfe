import { type JwtVerifier, readJwtHeader } from '../crypto/jwt.ts'
import { invalid } from '../errors.ts'
import type { CredentialKind, TokenReader } from './credential.ts'
import { type Proofs, proven } from './proofs.ts'

/** A JWT as bearer token. A token that is no JWT is left to the kinds after this one. */
export function bearerJwt(readToken: TokenReader, verifiers: readonly JwtVerifier[], proofs: Proofs): CredentialKind {
  return {
    name: 'bearer-jwt',
    headers: readToken.headers,
    extract(source) {
      const token = readToken(source)
      if (typeof token !== 'string' || proofs.knows(token)) return token
      return readJwtHeader(token) === null ? null : token
    },
    verify: token => proven(proofs, token, verify)
  }

  function verify(token: string) {
    const header = readJwtHeader(token)
    const verifier = header === null ? undefined : verifiers.find(one => one.accepts(header))
    if (header === null || verifier === undefined) throw invalid('signed with an algorithm that is not accepted')
    return verifier.verify(token, header)
  }
}
