import type { FastifyRequest } from 'fastify'
import type { AuthDecision } from './decision.ts'
import type { IdentityStore } from './identity/identity-store.ts'
import type { Queryable } from './identity/queryable.ts'
import type { Claims, Identity } from './types.ts'

/** Whether a route needs a user. `false`: the credential is not even read. */
export type AuthMode = false | 'optional' | 'required'

/** One finished attempt, as handed to `onDecision`. */
export interface AuthAttempt {
  decision: AuthDecision
  /** What the credential asserted, once verified. */
  claims: Claims | null
  /** The rows found; `null` unless the request was authenticated. */
  identity: Identity | null
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

export interface BetterAuthUserOptions {
  /**
   * Better Auth's secret (`BETTER_AUTH_SECRET`), at least 32 bytes. Several: the current one first, older ones after it,
   * so that cookies signed before a rotation stay valid. Without it only raw session tokens are understood.
   */
  secret?: string | readonly string[] | undefined
  /** Accept JWTs signed with HS256 under the same secret. @default false */
  hs256?: boolean | Hs256Options | undefined
  /** What `request` routes need that say nothing in `config.auth`. @default 'optional' */
  auth?: AuthMode | undefined
  /** The hook that authenticates. `onRequest` refuses strangers before their body is read. @default 'preHandler' */
  hook?: 'preHandler' | 'onRequest' | undefined
  /** `realm` of the challenge (RFC 9110 §11.5). @default 'api' */
  realm?: string | undefined
  /** Where users and sessions are found. @default the Better Auth tables behind `app.pg` of @fastify/postgres */
  identityStore?: IdentityStore | undefined
  /** A `pg.Pool` to use instead of `app.pg`. */
  database?: Queryable | undefined
  /** Answer for a verified JWT whose user, or whose live session, does not exist. @default 404 */
  unknownUserStatus?: 401 | 404 | undefined
  /** Called with every finished attempt, after the diagnostics channel; must not throw. */
  onDecision?: ((attempt: AuthAttempt, request: FastifyRequest) => void) | undefined
}
