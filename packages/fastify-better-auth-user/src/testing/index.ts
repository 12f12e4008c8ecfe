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
