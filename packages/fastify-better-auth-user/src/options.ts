import type { FastifyRequest } from 'fastify'
import type { ClaimRules } from './crypto/jwt.ts'
import type { AuthDecision } from './decision.ts'
import type { IdentityStore } from './identity/identity-store.ts'
import type { Queryable } from './identity/queryable.ts'
import { checkSecrets } from './secret.ts'
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
  /** Log every attempt through `request.log`: `info`, `error` for an outage, `debug` for no credential. @default true */
  logAttempts?: boolean | undefined
  /** Called with every finished attempt, after the diagnostics channel; must not throw. */
  onDecision?: ((attempt: AuthAttempt, request: FastifyRequest) => void) | undefined
}

/** The options with every default in place. */
export interface CheckedOptions {
  secrets: readonly string[]
  /** `null`: no HS256 tokens. */
  hs256: ClaimRules | null
  auth: AuthMode
  hook: 'preHandler' | 'onRequest'
  realm: string
  identityStore: IdentityStore | undefined
  database: Queryable | undefined
  unknownUserStatus: 401 | 404
  logAttempts: boolean
  onDecision: BetterAuthUserOptions['onDecision']
}

const KNOWN = [
  'secret',
  'hs256',
  'auth',
  'hook',
  'realm',
  'identityStore',
  'database',
  'unknownUserStatus',
  'logAttempts',
  'onDecision'
]

/**
 * Fills in defaults and refuses what cannot work, before the first request.
 *
 * @throws TypeError naming the option and the cure.
 */
export function checkOptions(given: BetterAuthUserOptions): CheckedOptions {
  for (const name of Object.keys(given)) {
    if (!KNOWN.includes(name)) throw new TypeError(`unknown option ${name}; known are ${KNOWN.join(', ')}`)
  }
  const secrets = checkSecrets(given.secret)
  if (given.hs256 && secrets.length === 0) throw new TypeError('hs256 needs the secret that signs the tokens')
  return {
    secrets,
    hs256: given.hs256 ? checkHs256(given.hs256 === true ? {} : given.hs256) : null,
    auth: oneOf('auth', given.auth ?? 'optional', [false, 'optional', 'required']),
    hook: oneOf('hook', given.hook ?? 'preHandler', ['preHandler', 'onRequest']),
    realm: given.realm ?? 'api',
    identityStore: given.identityStore,
    database: given.database,
    unknownUserStatus: oneOf('unknownUserStatus', given.unknownUserStatus ?? 404, [401, 404]),
    logAttempts: given.logAttempts ?? true,
    onDecision: given.onDecision
  }
}

function checkHs256({ issuer, audience, clockTolerance = 5 }: Hs256Options): ClaimRules {
  if (!(clockTolerance >= 0 && clockTolerance <= 60)) {
    throw new TypeError('hs256.clockTolerance: a number of seconds from 0 to 60')
  }
  return { issuer: list('hs256.issuer', issuer), audience: list('hs256.audience', audience), clockTolerance }
}

function list(name: string, value: string | readonly string[] | undefined): readonly string[] | null {
  if (value === undefined) return null
  const values = typeof value === 'string' ? [value] : [...value]
  if (values.length === 0 || !values.every(one => typeof one === 'string' && one !== '')) {
    throw new TypeError(`${name}: expected a text or a list of texts, none empty`)
  }
  return values
}

function oneOf<T>(name: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value)) throw new TypeError(`${name}: expected one of ${allowed.join(', ')}`)
  return value
}
