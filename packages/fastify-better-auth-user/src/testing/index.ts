export { buildSignedInApp, type SignedInApp, type SignedInAppOptions } from './build-signed-in-app.ts'
export { identityStoreContract } from './identity-store-contract.ts'
export type { IdentityStoreCase, IdentityStoreHarness, NewSession, Question } from './identity-store-harness.ts'
export {
  type ApiKeyToAdd,
  type MemoryIdentityStore,
  type MemoryIdentityStoreOptions,
  memoryIdentityStore,
  type OAuthTokenToAdd,
  type SignedInSession
} from './memory-identity-store.ts'
export type { CredentialFault, MintedKind } from './mint.ts'
export { type KeySetIssuer, openKeySet } from './open-key-set.ts'
export {
  createSigningKey,
  type JwtFault,
  jwtFaults,
  type SigningAlgorithm,
  type SigningKey,
  type SignJwtOptions,
  signJwt
} from './sign-jwt.ts'
export {
  type SessionFault,
  type SignSessionCookieOptions,
  type SignSessionTokenOptions,
  sessionFaults,
  signSessionCookie,
  signSessionToken
} from './sign-session.ts'
