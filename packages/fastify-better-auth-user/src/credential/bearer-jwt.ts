import { type ClaimRules, type JwtEngine, readJwtHeader, verifyHs256 } from '../crypto/jwt.ts'
import { bearerToken } from '../http/authorization.ts'
import type { CredentialKind } from './credential.ts'

/** A JWT as `Authorization: Bearer`. A token that is no JWT is left to the kinds after this one. */
export function bearerJwt(engine: JwtEngine, rules: ClaimRules): CredentialKind {
  return {
    name: 'bearer-jwt',
    extract(source) {
      const token = bearerToken(source)
      return typeof token === 'string' && readJwtHeader(token) === null ? null : token
    },
    verify: token => verifyHs256(token, engine, rules, Date.now())
  }
}
