export type { Stats } from './assemble.ts'
export type { IdentityStats } from './assemble-identities.ts'
export type { ApiKeyOptions } from './credential/api-key.ts'
export type { CredentialSource } from './credential/credential.ts'
export type { ProofStats } from './credential/proofs.ts'
export type { CookieNames } from './credential/session-cookie.ts'
export { type AuthDecision, DECISION_CHANNEL, type Stage } from './decision.ts'
export { type ErrorCode, errors } from './errors.ts'
export { currentUser } from './guard/current-user.ts'
export type { Guard } from './guard/guard.ts'
export type { FreshSessionOptions } from './guard/require-fresh-session.ts'
export type { OrganizationOptions } from './guard/require-organization.ts'
export type { OwnUserOptions } from './guard/require-own-user.ts'
export type { TokenPlaces } from './http/token.ts'
export {
  CACHE_CHANNEL,
  type CachedIdentityStore,
  type CachedIdentityStoreOptions,
  type CacheState,
  type CacheStats,
  cachedIdentityStore
} from './identity/cached.ts'
export { combinedRevocations } from './identity/combined-revocations.ts'
export type { IdentityRecord, IdentityStore } from './identity/identity-store.ts'
export { type IntrospectionIdentityStoreOptions, introspectionIdentityStore } from './identity/introspection.ts'
export { layeredIdentityStore } from './identity/layered.ts'
export { LOOKUP_CHANNEL, type Lookup, type LookupStats } from './identity/lookups.ts'
export type { Membership, MembershipStore } from './identity/membership-store.ts'
export {
  type PostgresIdentityStore,
  type PostgresIdentityStoreOptions,
  postgresIdentityStore
} from './identity/postgres.ts'
export { postgresApiKeyStore } from './identity/postgres-api-keys.ts'
export { type PostgresRevocationsOptions, postgresRevocations } from './identity/postgres-revocations.ts'
export { postgresUserStore } from './identity/postgres-users.ts'
export type { Queryable } from './identity/queryable.ts'
export {
  type RedisInspector,
  type RedisRevocationsOptions,
  type RedisSubscriber,
  redisRevocations
} from './identity/redis-revocations.ts'
export {
  type RevocationMigrations,
  type RevocationMigrationsOptions,
  type RevocationStatus,
  revocationMigrations
} from './identity/revocation-triggers.ts'
export type { Change, RevocationChannel, RevocationListener } from './identity/revocations.ts'
export {
  type SecondaryStorage,
  type SecondaryStorageIdentityStoreOptions,
  secondaryStorageIdentityStore
} from './identity/secondary-storage.ts'
export type { TableNames, TablesOptions } from './identity/tables.ts'
export { errorSchema, type SecurityScheme } from './openapi.ts'
export type {
  AuthAttempt,
  AuthMode,
  BetterAuthUserOptions,
  CacheOptions,
  Hs256Options,
  KeySetSettings,
  OAuthOptions,
  RejectedAttempt
} from './options.ts'
export type { BetterAuthUser } from './plugin.ts'
export { betterAuthUser, betterAuthUser as default } from './plugin.ts'
export type { Claims, Grant, Identity, Session, User } from './types.ts'
