import type { FastifyError } from '@fastify/error'
import type { FastifyRequest } from 'fastify'
import type { ApiKeyOptions } from './credential/api-key.ts'
import type { OpaqueTokenOptions } from './credential/oauth-token.ts'
import type { CookieNames } from './credential/session-cookie.ts'
import type { ClaimRules } from './crypto/jwt.ts'
import type { KeySetOptions } from './crypto/key-set.ts'
import type { AuthDecision } from './decision.ts'
import type { TokenPlaces } from './http/token.ts'
import type { IdentityStore } from './identity/identity-store.ts'
import type { MembershipStore } from './identity/membership-store.ts'
import type { Queryable } from './identity/queryable.ts'
import type { RevocationChannel } from './identity/revocations.ts'
import type { TablesOptions } from './identity/tables.ts'
import type { Claims, Identity } from './types.ts'

/** Whether a route needs a user. `false`: the credential is not even read. */
export type AuthMode = false | 'optional' | 'required'

/** One finished attempt, as handed to the hooks. */
export interface AuthAttempt {
  decision: AuthDecision
  /** What the credential asserted, once verified. */
  claims: Claims | null
  /** The rows found; `null` unless the request was authenticated. */
  identity: Identity | null
}

/** An attempt that was turned away. */
export interface RejectedAttempt extends AuthAttempt {
  error: FastifyError
}

/** HS256 tokens signed with Better Auth's secret, by the application or its token endpoint. */
export interface Hs256Options {
  /** Accepted `iss` values; once set, the claim is required. Also allows tokens that name their user by `email` alone. */
  issuer?: string | readonly string[] | undefined
  /** Accepted `aud` values; once set, the claim is required. */
  audience?: string | readonly string[] | undefined
  /** Allowed clock skew, in seconds, 0 to 60. @default 5 */
  clockTolerance?: number | undefined
}

/** JWTs of Better Auth's jwt plugin: EdDSA, ES256, ES512, PS256 or RS256. */
export interface KeySetSettings extends Pick<KeySetOptions, 'maxAgeMs' | 'maxStaleMs' | 'cooldownMs' | 'rsaAlgorithm'> {
  /** `'database'`: the `jwks` table beside the user table. Otherwise the address of the key set, `…/api/auth/jwks`. */
  source: 'database' | (string & {})
  /** Accepted `iss` values. Better Auth's default is the origin of its `baseURL`; a trailing slash does not matter. */
  issuer: string | readonly string[]
  /** Accepted `aud` values. Better Auth's default is the same origin. */
  audience: string | readonly string[]
  /** Allowed clock skew, in seconds, 0 to 60. @default 5 */
  clockTolerance?: number | undefined
  /** How long keys past their end still verify, in seconds; only for `'database'`. @default 2592000 */
  gracePeriod?: number | undefined
  /** For one fetch of the keys, in milliseconds. @default 5000 */
  timeoutMs?: number | undefined
}

/** Access tokens of Better Auth's OAuth provider. */
export interface OAuthOptions {
  /** Accepted `iss` values of JWT access tokens, such as `https://app.example.com/api/auth`. @default no JWT access tokens */
  issuer?: string | readonly string[] | undefined
  /**
   * Our names as a resource, spelled as the provider has them. A JWT access token must be for one of them, and so must
   * an opaque token that was issued for particular resources. @default none: opaque tokens for no resource only
   */
  audience?: string | readonly string[] | undefined
  /** Allowed clock skew, in seconds, 0 to 60. @default 5 */
  clockTolerance?: number | undefined
  /** Accept opaque tokens. One that was issued for no resource works for every service. @default true */
  opaque?: boolean | undefined
  /** What opaque tokens begin with; the provider's `prefix.opaqueAccessToken`. Saves a query. @default nothing */
  prefix?: string | undefined
  /** How opaque tokens are stored; the provider's `storeTokens`. @default SHA-256, base64url without padding */
  hashToken?: ((token: string) => string) | undefined
}

/** Cached mode: identities are kept while a channel would tell of a change. */
export interface CacheOptions {
  /** Most identities kept; one that was not used for long gives way. @default 10000 */
  maxIdentities?: number | undefined
  /**
   * For how long, in milliseconds, a change may go unheard. 0: not at all; each request waits for the channel to say that it
   * has told everything, one question for all that arrive together. More saves who comes alone the way to the database and
   * back: the channel is asked when its last answer is older. @default 0
   */
  maxStalenessMs?: number | undefined
  /** What tells of changes. @default triggers on the tables, heard on one connection of the pool */
  channel?: RevocationChannel | undefined
}

export interface BetterAuthUserOptions {
  /**
   * Better Auth's secret (`BETTER_AUTH_SECRET`), at least 32 bytes. Several: the current one first, older ones after it,
   * so that cookies signed before a rotation stay valid. Without it only raw session tokens are understood.
   */
  secret?: string | readonly string[] | undefined
  /** Accept JWTs signed with HS256 under the same secret. @default false */
  hs256?: boolean | Hs256Options | undefined
  /** Accept JWTs signed with Better Auth's own keys. @default none */
  keySet?: KeySetSettings | undefined
  /** Accept keys of Better Auth's API key plugin, in a header of their own. @default false */
  apiKey?: boolean | ApiKeyOptions | undefined
  /**
   * Accept access tokens of Better Auth's OAuth provider. Their holder is a client acting for the user, within
   * `request.authGrant.scopes`; client credentials are nobody's and refused. JWT access tokens need `issuer`, `audience`
   * and `keySet`. @default false
   */
  oauth?: boolean | OAuthOptions | undefined
  /** Accept signed session tokens only; raw ones, as sign-in answers them in its body, are refused. @default false */
  requireSignature?: boolean | undefined
  /** Name of the session cookie; `false`: cookies are not read. @default Better Auth's default name */
  cookie?: CookieNames | false | undefined
  /** Where a token may stand besides `Authorization: Bearer`. @default nowhere */
  token?: TokenPlaces | undefined
  /** Origins whose pages may send the session cookie with unsafe methods, spelled out (`https://app.example.com`, no patterns); `'*'` for all. @default this service's own */
  trustedOrigins?: readonly string[] | undefined
  /** What routes need that say nothing in `config.auth`. @default 'optional' */
  auth?: AuthMode | undefined
  /** The hook that authenticates. `onRequest` refuses strangers before their body is read. @default 'preHandler' */
  hook?: 'preHandler' | 'onRequest' | undefined
  /** `realm` of the challenge (RFC 9110 §11.5). @default 'api' */
  realm?: string | undefined
  /** Where users and sessions are found. @default the Better Auth tables behind `app.pg` of @fastify/postgres */
  identityStore?: IdentityStore | undefined
  /** How many verified credentials are remembered, by their exact text and no longer than they hold; 0: none. @default 10000 */
  maxProofs?: number | undefined
  /**
   * Keep identities for as long as the database would tell of a change. Needs its triggers, installed once with
   * `app.betterAuthUser.migrations.up()`, and a connection that is not pooled by transactions; while either is missing,
   * every request is looked up and the log says why. With `identityStore`, name the `channel` as well. @default false
   */
  cache?: boolean | CacheOptions | undefined
  /** Who belongs to which organization. @default Better Auth's member table behind the same database */
  memberships?: MembershipStore | undefined
  /** A `pg.Pool` to use instead of `app.pg`. */
  database?: Queryable | undefined
  /**
   * Names of Better Auth's tables and columns, where they differ from what is found by itself. With `identityStore` only those
   * of `schema`, `jwks` and `member`: the others are that store's.
   */
  tables?: TablesOptions | undefined
  /** Further fields of the user table to put on `request.user`. */
  userFields?: readonly string[] | undefined
  /** Answer for a verified JWT whose user, or whose live session, does not exist. @default 404 */
  unknownUserStatus?: 401 | 404 | undefined
  /** Tell the client that its session has expired (401) or its user is banned (403). @default false */
  discloseReasons?: boolean | undefined
  /** Describe guarded routes for @fastify/swagger: security schemes, and 401 and 403 answers. @default false */
  openapi?: boolean | undefined
  /** Look at start whether everything needed is there, and log what is not; `'fail'`: do not start then. @default 'warn' */
  checkAtStart?: 'warn' | 'fail' | false | undefined
  /** Log every attempt through `request.log`: `info`, `error` for an outage, `debug` for no credential. @default true */
  logAttempts?: boolean | undefined
  /** Called for each request whose user is known, before its guards decide. What it throws refuses the request. */
  onAuthenticated?: ((request: FastifyRequest, attempt: AuthAttempt) => void | Promise<void>) | undefined
  /** Called for each request that is turned away, by the plugin or a guard. What it throws is answered instead. */
  onRejected?: ((request: FastifyRequest, attempt: RejectedAttempt) => void | Promise<void>) | undefined
  /** Turns errors of the plugin and its guards into the application's own. */
  mapError?: ((error: FastifyError, request: FastifyRequest) => Error) | undefined
}

/** The options with every default in place. */
export interface CheckedOptions {
  secrets: readonly string[]
  /** `null`: no HS256 tokens. */
  hs256: ClaimRules | null
  /** `null`: no JWTs by key set. */
  keySet: (KeySetSettings & { rules: ClaimRules }) | null
  /** `null`: no API keys. */
  apiKey: ApiKeyOptions | null
  /** `null`: no OAuth access tokens. */
  oauth: { jwt: ClaimRules | null; opaque: OpaqueTokenOptions | null } | null
  requireSignature: boolean
  /** `null`: no cookies. */
  cookie: CookieNames | null
  token: TokenPlaces
  /** `null`: every origin. */
  trustedOrigins: ReadonlySet<string> | null
  auth: AuthMode
  hook: 'preHandler' | 'onRequest'
  realm: string
  identityStore: IdentityStore | undefined
  maxProofs: number
  /** `null`: every request is looked up. */
  cache: { maxIdentities: number; maxStalenessMs: number | undefined; channel: RevocationChannel | undefined } | null
  memberships: MembershipStore | undefined
  database: Queryable | undefined
  tables: TablesOptions
  userFields: readonly string[]
  unknownUserStatus: 401 | 404
  discloseReasons: boolean
  openapi: boolean
  checkAtStart: 'warn' | 'fail' | false
  logAttempts: boolean
  onAuthenticated: BetterAuthUserOptions['onAuthenticated']
  onRejected: BetterAuthUserOptions['onRejected']
  mapError: BetterAuthUserOptions['mapError']
}
