import type { FastifyInstance } from 'fastify'
import { assembleIdentities, databaseOf, type Identities, type IdentityStats } from './assemble-identities.ts'
import type { Pipeline } from './authenticate.ts'
import { apiKey } from './credential/api-key.ts'
import { bearerJwt } from './credential/bearer-jwt.ts'
import { bearerSession } from './credential/bearer-session.ts'
import type { CredentialKind } from './credential/credential.ts'
import { OAUTH_TOKEN, oauthToken, opaqueClaims } from './credential/oauth-token.ts'
import { createProofs, type ProofStats, type Proofs } from './credential/proofs.ts'
import { createRecollections, type Recollections } from './credential/recollections.ts'
import { sessionCookie } from './credential/session-cookie.ts'
import { isAccessToken, verifyAccessToken } from './crypto/access-token.ts'
import { verifyHs256 } from './crypto/hs256.ts'
import { jwksFromUrl } from './crypto/jwks-url.ts'
import type { JwtVerifier } from './crypto/jwt.ts'
import { createKeySet, type KeySet } from './crypto/key-set.ts'
import { verifyKeySetJwt } from './crypto/key-set-jwt.ts'
import { messageOf } from './errors.ts'
import { hs256Engine } from './hs256-engine.ts'
import { isForeignOrigin } from './http/origin.ts'
import { tokenReader } from './http/token.ts'
import { isAnswer } from './identity/connection-errors.ts'
import { jwksFromTable, jwksTable } from './identity/jwks-table.ts'
import type { MembershipStore } from './identity/membership-store.ts'
import { postgresMembershipStore } from './identity/postgres-memberships.ts'
import type { Queryable } from './identity/queryable.ts'
import { type RevocationMigrations, revocationMigrations } from './identity/revocation-triggers.ts'
import type { TablesOptions } from './identity/tables.ts'
import type { CheckedOptions } from './options.ts'
import type { Claims } from './types.ts'

export interface Assembly {
  pipeline: Pipeline
  /** @throws TypeError when there is no database to look in. */
  memberships(): MembershipStore
  /** What keeps requests from being authenticated now: a sentence with its cure for each problem. */
  check(): Promise<string[]>
  checkCache: Identities['checkCache']
  stats(): Stats
  /** @throws TypeError when there is no database to look in. */
  migrations(): RevocationMigrations
}

/** What the plugin did since it was registered. */
export interface Stats extends IdentityStats {
  /** Verified credentials, of all kinds together. */
  proofs: ProofStats
}

/** Options → the credential kinds and the identity store they ask for; the one file that names concrete ones. */
export async function assemble(app: FastifyInstance, options: CheckedOptions): Promise<Assembly> {
  const { secrets, tables, trustedOrigins, requireSignature, cookie } = options
  const identities = assembleIdentities(app, options)
  const keys = options.keySet === null ? null : keySet(app, options, options.keySet)
  const verifiers = await jwtVerifiers(app, options, keys)
  const readToken = tokenReader(options.token)
  let { memberships } = options

  const kept: Proofs[] = []
  const proofs = () => {
    const made = createProofs(options.maxProofs)
    kept.push(made)
    return made
  }

  const kinds: CredentialKind[] = []
  if (options.apiKey !== null) kinds.push(apiKey(readToken, options.apiKey))
  if (options.oauth !== null) {
    kinds.push(oauthToken(readToken, accessTokens(options.oauth, keys), options.oauth.opaque, proofs()))
  }
  if (verifiers.length > 0) kinds.push(bearerJwt(readToken, verifiers, proofs()))
  kinds.push(bearerSession(readToken, secrets, proofs(), { requireSignature, alsoReadAs: alsoReadAs(options.oauth) }))
  if (cookie !== null) kinds.push(sessionCookie(secrets, proofs(), cookie))

  const recollections = createRecollections(kinds, options.maxProofs)

  return {
    pipeline: {
      kinds,
      recollections,
      identityStore: identities.store,
      unknownUserStatus: options.unknownUserStatus,
      discloseReasons: options.discloseReasons,
      isForeign: source => trustedOrigins !== null && isForeignOrigin(source, trustedOrigins)
    },
    checkCache: identities.checkCache,
    stats: () => ({ proofs: sumOf(kept, recollections), ...identities.stats() }),
    migrations: () => revocationMigrations(databaseOf(app, options), tables),
    memberships: () => (memberships ??= postgresMembershipStore(databaseOf(app, options), tables)),
    async check() {
      const strangers = strangersOf(options).map(claims => problemsOf(() => identities.store.find(claims)))
      const problems = await Promise.all([
        identities.store.check?.() ?? [],
        keys?.check() ?? [],
        options.keySet?.source === 'database' ? problemsOf(() => needJwksTable(databaseOf(app, options), tables)) : [],
        ...strangers
      ])
      return [...new Set(problems.flat())]
    }
  }
}

/** Claims nobody can have, one of each kind that needs tables of its own: asking about them shows whether those are there. */
function strangersOf({ apiKey, oauth }: CheckedOptions): Claims[] {
  const strangers: Claims[] = []
  if (apiKey !== null) {
    const configIds = apiKey.configId === undefined ? undefined : [apiKey.configId].flat()
    strangers.push({ by: 'api-key', keyHash: '', configIds })
  }
  if (oauth !== null) strangers.push({ by: 'oauth-token', tokenHash: '' })
  return strangers
}

async function needJwksTable(database: Queryable, tables: TablesOptions): Promise<void> {
  if ((await jwksTable(database, tables)) !== null) return
  throw new Error(
    "Better Auth's jwks table was not found: add the jwt plugin there and run its migrations, or set keySet.source to the address of its key set."
  )
}

/**
 * Twice where the database answered: that makes the store look at its tables again, and then it can say which one is missing.
 * To wait twice for one that does not answer would take longer than Fastify lets a service start.
 */
async function problemsOf(ask: () => Promise<unknown>): Promise<string[]> {
  try {
    await ask().catch(error => {
      if (!isAnswer(error)) throw error
      return ask()
    })
    return []
  } catch (error) {
    return [messageOf(error)]
  }
}

function accessTokens({ jwt }: NonNullable<CheckedOptions['oauth']>, keys: KeySet | null): JwtVerifier | null {
  if (jwt === null || keys === null) return null
  return {
    accepts: header => isAccessToken(header) && !header.alg.startsWith('HS'),
    verify: (token, header) => verifyAccessToken(token, header, keys, jwt, Date.now())
  }
}

/** An opaque token without a prefix looks like a session token; a session token is by far the more likely. */
function alsoReadAs(oauth: CheckedOptions['oauth']) {
  const opaque = oauth?.opaque ?? null
  if (opaque === null || (opaque.prefix ?? '') !== '') return undefined
  return { name: OAUTH_TOKEN, read: (token: string) => opaqueClaims(token, opaque) }
}

async function jwtVerifiers(
  app: FastifyInstance,
  options: CheckedOptions,
  keys: KeySet | null
): Promise<JwtVerifier[]> {
  const { secrets, hs256, keySet } = options
  const verifiers: JwtVerifier[] = []
  if (hs256 !== null) {
    const engine = await hs256Engine(app, secrets)
    verifiers.push({
      accepts: ({ alg }) => alg === 'HS256',
      verify: (token, header) => verifyHs256(token, header, engine, hs256, Date.now())
    })
  }
  if (keys !== null && keySet !== null) {
    verifiers.push({
      accepts: ({ alg }) => !alg.startsWith('HS'),
      verify: (token, header) => verifyKeySetJwt(token, header, keys, keySet.rules, Date.now())
    })
  }
  return verifiers
}

function keySet(
  app: FastifyInstance,
  options: CheckedOptions,
  settings: NonNullable<CheckedOptions['keySet']>
): KeySet {
  const { source, gracePeriod, timeoutMs = 5000, maxAgeMs, maxStaleMs, cooldownMs, rsaAlgorithm } = settings
  const { tables } = options
  const load =
    source === 'database'
      ? jwksFromTable(databaseOf(app, options), { tables, gracePeriod, timeoutMs })
      : jwksFromUrl(source, timeoutMs, closingOf(app))
  return createKeySet(load, {
    maxAgeMs,
    maxStaleMs,
    cooldownMs,
    rsaAlgorithm,
    onUnusableKey: (kid, err) => app.log.warn({ kid, err }, 'a key of the issuer is left out')
  })
}

/** Before Fastify waits for the requests under way, some of which may be waiting for keys. */
function closingOf(app: FastifyInstance): AbortSignal {
  const closing = new AbortController()
  app.addHook('preClose', async () => closing.abort(new Error('the service is closing')))
  return closing.signal
}

function sumOf(kept: readonly Proofs[], recollections: Recollections): ProofStats {
  const sum = { kept: 0, recalled: recollections.stats.recalled, made: 0 }
  for (const { stats } of kept) {
    sum.kept += stats.kept
    sum.recalled += stats.recalled
    sum.made += stats.made
  }
  return sum
}
