import type { EventEmitter } from 'node:events'
import type { FastifyInstance } from 'fastify'
import { loggable } from './errors.ts'
import { type CachedIdentityStore, type CacheState, type CacheStats, cachedIdentityStore } from './identity/cached.ts'
import type { IdentityStore } from './identity/identity-store.ts'
import type { LookupStats } from './identity/lookups.ts'
import { postgresIdentityStore } from './identity/postgres.ts'
import { postgresRevocations } from './identity/postgres-revocations.ts'
import type { Queryable } from './identity/queryable.ts'
import type { CheckedOptions } from './options.ts'

export interface IdentityStats {
  /** `null` with an identity store of one's own. */
  lookups: LookupStats | null
  /** `null` unless identities are cached. */
  cache: CacheStats | null
}

export interface Identities {
  store: IdentityStore
  stats(): IdentityStats
  /** What keeps identities from being cached now; empty when they are not meant to be. */
  checkCache(): Promise<string[]>
}

/** Options → where users and sessions are found, and whether what was found is kept. */
export function assembleIdentities(app: FastifyInstance, options: CheckedOptions): Identities {
  const { tables, userFields, cache } = options
  const postgres =
    options.identityStore === undefined
      ? postgresIdentityStore(databaseOf(app, options), { tables, userFields, tellValidity: cache !== null })
      : null
  const store = options.identityStore ?? postgres
  if (store === null) throw new Error('neither a store nor a database')
  const cached = cache === null ? null : cachedStore(app, options, store, cache)
  return {
    store: cached ?? store,
    stats: () => ({ lookups: postgres?.stats ?? null, cache: cached?.stats ?? null }),
    checkCache: async () => (await cached?.checkChannel()) ?? []
  }
}

function cachedStore(
  app: FastifyInstance,
  options: CheckedOptions,
  store: IdentityStore,
  { maxIdentities, maxStalenessMs, channel }: NonNullable<CheckedOptions['cache']>
): CachedIdentityStore {
  const cached = cachedIdentityStore({
    store,
    channel: channel ?? postgresRevocations({ database: databaseOf(app, options), tables: options.tables }),
    maxIdentities,
    maxStalenessMs,
    onState: state => logState(app, state)
  })
  app.addHook('onReady', () => cached.open())
  app.addHook('onClose', () => cached.close())
  return cached
}

function logState({ log }: FastifyInstance, { state, reason }: CacheState): void {
  if (state === 'lost') log.warn(`identities are not cached now, every request is looked up: ${reason}`)
  else if (state === 'listening') log.info('identities are cached: changes are heard')
}

/**
 * The pool that is given, or that of @fastify/postgres. Where nobody listens for its errors, an idle connection that breaks
 * would end the process.
 */
export function databaseOf(app: FastifyInstance, { database }: CheckedOptions): Queryable {
  const pool: (Queryable & Partial<EventEmitter>) | undefined =
    database ?? (app as { pg?: { pool?: Queryable } }).pg?.pool
  if (pool === undefined) {
    throw new TypeError(
      'fastify-better-auth-user finds no database: register @fastify/postgres before it, or pass `database` or `identityStore`'
    )
  }
  if (pool.listenerCount?.('error') === 0) {
    pool.on?.('error', error => app.log.warn({ err: loggable(error) }, 'an idle database connection was lost'))
  }
  return pool
}
