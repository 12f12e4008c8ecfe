import { chatkitErrors } from '../errors.ts'
import { inTransaction } from './in-transaction.ts'
import { checksum, type Migration } from './migrations/migration.ts'
import * as list from './migrations/migrations.ts'
import type { Database, Queryable } from './queryable.ts'

/** Schema of the tables when nothing else is said. */
export const DEFAULT_SCHEMA = 'chatkit'

/** Every migration of this version, oldest first. */
export const migrations: readonly Migration[] = Object.values(list).sort((a, b) => (a.name < b.name ? -1 : 1))

/** The advisory lock that keeps two processes from migrating at once: "chat" in ASCII. */
const lockKey = 0x63686174

/**
 * Brings the tables of the Postgres thread store up to this version. Safe to run at each start, and in several processes at once:
 * they wait for one another, and what was applied is not applied again. All of it happens, or nothing.
 *
 * @param options.schema is made when it is not there. @default "chatkit"
 * @param options.to the last migration to apply. @default the newest
 * @returns names of the migrations that were applied now.
 * @throws FST_CHATKIT_MIGRATION_CHANGED an applied migration reads otherwise here.
 * @throws FST_CHATKIT_MIGRATION_NEWER the database was migrated by a newer version.
 */
export async function migrateChatkit(
  database: Database,
  options: { schema?: string; to?: string } = {}
): Promise<string[]> {
  const schema = quoteIdentifier(options.schema ?? DEFAULT_SCHEMA)
  return await inTransaction(database, async client => {
    // Where `default_transaction_isolation` is stricter, what others did while we waited for the lock would not be seen.
    await client.query('set transaction isolation level read committed')
    // Held to the end of the transaction, so that it works behind a pooler as well.
    await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [lockKey, schema])
    return await applyMissing(client, schema, options.to)
  })
}

/**
 * What keeps conversations from being kept now: a sentence with its cure for each problem. For readiness probes: it changes
 * nothing. Tables of a newer version are no problem, so that hosts of two versions may run while one replaces the other.
 *
 * @param options.schema @default "chatkit"
 */
export async function checkChatkit(database: Queryable, options: { schema?: string } = {}): Promise<string[]> {
  const schema = options.schema ?? DEFAULT_SCHEMA
  try {
    const table = `${quoteIdentifier(schema)}.migration`
    const { rows: found } = await database.query('select to_regclass($1) is not null as found', [table])
    const applied = found[0]?.found === true ? await database.query(`select name from ${table}`) : { rows: [] }
    const names = new Set(applied.rows.map(row => String(row.name)))
    const missing = migrations.filter(({ name }) => !names.has(name)).map(({ name }) => name)
    if (missing.length === 0) return []
    return [`The tables in the schema ${schema} lack the migrations ${missing.join(', ')}: run migrateChatkit.`]
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown }
    return [`The tables of conversations cannot be read: ${String(code ?? message)}`]
  }
}

async function applyMissing(client: Queryable, schema: string, to?: string): Promise<string[]> {
  const found = await client.query('select to_regnamespace($1) is not null as found', [schema])
  // Only when missing: `if not exists` asks for the right to create one even when it is there.
  if (found.rows[0]?.found !== true) await client.query(`create schema ${schema}`)
  await client.query(`create table if not exists ${schema}.migration (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
  )`)
  const { rows } = await client.query(`select name, checksum from ${schema}.migration order by name`)
  const done = new Map(rows.map(row => [String(row.name), String(row.checksum)]))
  for (const name of done.keys()) {
    if (!migrations.some(migration => migration.name === name))
      throw new chatkitErrors.FST_CHATKIT_MIGRATION_NEWER(name)
  }
  const applied: string[] = []
  for (const migration of migrations) {
    if (to !== undefined && migration.name > to) break
    const known = done.get(migration.name)
    if (known === checksum(migration)) continue
    if (known !== undefined) throw new chatkitErrors.FST_CHATKIT_MIGRATION_CHANGED(migration.name)
    await client.query(migration.sql.replaceAll('{schema}', schema))
    const values = [migration.name, checksum(migration)]
    await client.query(`insert into ${schema}.migration (name, checksum) values ($1, $2)`, values)
    applied.push(migration.name)
  }
  return applied
}

/** A name as SQL wants it. @throws TypeError for one Postgres would refuse or cut. */
export function quoteIdentifier(name: string): string {
  if (name === '' || name.includes('\0') || Buffer.byteLength(name) > 63)
    throw new TypeError('A schema name has 1 to 63 bytes, none of them NUL')
  return `"${name.replaceAll('"', '""')}"`
}
