import { createHash } from 'node:crypto'
import type pg from 'pg'
import type { Migration } from '../database.ts'
import { StartError } from '../start-error.ts'
import { helpCentre } from './0001-help-centre.ts'
import { modelUsage } from './0002-model-usage.ts'

/** Schema of this host's own tables. */
const SCHEMA = 'chatkit_host'

/** What answers a statement: a pool, or one of its connections. */
interface Queries {
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
}

/** One step of the tables' history. What was released is never edited: a database remembers its checksum. */
export interface Step {
  /** Sorts after those before it. */
  name: string
  sql: string
}

/** Every step, oldest first: one line each. */
export const steps: readonly Step[] = [helpCentre, modelUsage]

/**
 * Brings the host's own tables up to date. All of it happens, or nothing.
 *
 * @throws StartError when the database was migrated by another version, older or newer.
 */
export const hostMigration: Migration = async pool => {
  const client = await pool.connect()
  try {
    await client.query('begin')
    // Not every caller holds a lock of its own.
    await client.query('select pg_advisory_xact_lock(hashtext($1))', [SCHEMA])
    const applied = await applyMissing(client)
    await client.query('commit')
    return applied.length === 0 ? null : `the host's tables: ${applied.join(', ')}`
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  } finally {
    client.release()
  }
}

/** What is wrong with the tables, in sentences with cures; nothing when they are up to date. */
export async function checkTables(database: Queries): Promise<string[]> {
  const done = await applied(database)
  const missing = steps.filter(step => !done.has(step.name)).map(step => step.name)
  return missing.length === 0
    ? []
    : [`The host's tables are older than it is (${missing.join(', ')}): run chatkit-host migrate.`]
}

async function applyMissing(client: pg.PoolClient): Promise<string[]> {
  const done = await applied(client)
  for (const [name, sum] of done) {
    const known = steps.find(step => step.name === name)
    if (known === undefined)
      throw new StartError(
        `The database was migrated by a newer version of chatkit-host (${name}): run that version, or a database of its own.`
      )
    if (checksum(known) !== sum)
      throw new StartError(
        `The migration ${name} of the database is another than this version's: run the version that made it, or a database of its own.`
      )
  }
  const missing = steps.filter(step => !done.has(step.name))
  if (missing.length === 0) return []
  // Only when missing: `if not exists` asks for the right to create one even when it is there.
  if (done.size === 0) {
    const { rows } = await client.query('select to_regnamespace($1) is not null as found', [SCHEMA])
    if (rows[0]?.found !== true) await client.query(`create schema ${SCHEMA}`)
    await client.query(`create table if not exists ${SCHEMA}.migration (
      name text primary key,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`)
  }
  for (const step of missing) {
    await client.query(step.sql.replaceAll('{schema}', SCHEMA))
    await client.query(`insert into ${SCHEMA}.migration (name, checksum) values ($1, $2)`, [step.name, checksum(step)])
  }
  return missing.map(step => step.name)
}

async function applied(client: Queries): Promise<Map<string, string>> {
  const { rows: found } = await client.query('select to_regclass($1) is not null as found', [`${SCHEMA}.migration`])
  if (found[0]?.found !== true) return new Map()
  const { rows } = await client.query(`select name, checksum from ${SCHEMA}.migration`)
  return new Map(rows.map(row => [String(row.name), String(row.checksum)]))
}

function checksum({ sql }: Step): string {
  return createHash('sha256').update(sql).digest('hex')
}
