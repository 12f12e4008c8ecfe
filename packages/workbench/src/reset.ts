// pnpm db:reset – empties the host's tables and seeds Ada and Bob; only on this machine
import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Config } from 'chatkit-host'
import { configOf, isLocal, signIn, withHost } from 'chatkit-host/development'
import { DatabaseError, openDatabase } from 'embedded-database'
import pg from 'pg'
import { type Command, Refusal, readArgs } from './command.ts'

/** Better Auth's tables that hold people. Its keys stay: a host that runs has them in memory. */
const PEOPLE = ['user', 'session', 'account', 'verification']
const SEEDS = ['ada', 'bob']

/** @throws Refusal when the database is not on this machine, or in production. */
export const reset: Command = async (args, io) => {
  const { options } = readArgs(args, ['data-dir'], 'pnpm db:reset [--data-dir .data]')
  const config = configOf(options, io)
  refuseForeign(config)
  const emptied = await withDatabase(config, empty)
  io.print(emptied.length === 0 ? 'There was nothing to empty.' : `Emptied: ${emptied.join(', ')}`)
  if (!config.signIn) return io.print('Nobody was seeded: with BETTER_AUTH_MOUNT=0 this host signs nobody up.')
  await withHost(
    options,
    io,
    async host => {
      for (const name of SEEDS) io.print(`Seeded: ${(await signIn(host, name)).email}`)
    },
    { own: true }
  )
}

function refuseForeign({ databaseUrl, production }: Config): void {
  if (production) throw new Refusal('NODE_ENV is production: nothing is emptied there.')
  if (databaseUrl === null) return
  // Asked of whoever will connect: a host may also stand in the query, or, where the URL has none, in PGHOST.
  const { host } = new pg.Client({ connectionString: databaseUrl })
  if (!host.startsWith('/') && !isLocal(`pg://${isIP(host) === 6 ? `[${host}]` : host}/`)) {
    throw new Refusal(`The database is at ${host}, not on this machine: nothing is emptied there.`)
  }
}

async function withDatabase<Result>(
  { databaseUrl, dataDirectory }: Config,
  work: (pool: pg.Pool) => Promise<Result>
): Promise<Result> {
  const opened = databaseUrl === null ? await openEmbedded(join(dataDirectory, 'postgres')) : null
  const pool = new pg.Pool({ connectionString: opened?.connectionString ?? databaseUrl ?? '', max: 1 })
  pool.on('error', () => {})
  try {
    return await work(pool)
  } finally {
    await pool.end()
    await opened?.close()
  }
}

async function openEmbedded(dataDirectory: string) {
  if (!existsSync(dataDirectory))
    throw new Refusal(`There is no database in ${dataDirectory} yet: npm start makes one.`)
  try {
    return await openDatabase({ dataDirectory })
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    const cure = error.code === 'EDB_IN_USE' ? ' Stop the host first.' : ''
    throw new Refusal(`${error.message}${cure}`)
  }
}

/** Truncates, in one transaction. @returns which tables. */
async function empty(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where (schemaname = current_schema() and tablename = any($1))
         or (schemaname = 'chatkit' and tablename not like '%migration%')
         or (schemaname = 'chatkit_host' and tablename = 'model_usage')
      order by 1`,
    [PEOPLE]
  )
  const names = rows.map(({ name }) => name)
  if (names.length > 0) await pool.query(`truncate ${names.join(', ')} cascade`)
  return names
}
