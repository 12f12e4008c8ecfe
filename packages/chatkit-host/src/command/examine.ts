import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import Fastify from 'fastify'
import { betterAuthUser } from 'fastify-better-auth-user'
import { checkChatkit } from 'fastify-chatkit'
import pg from 'pg'
import { localUrl } from '../addresses.ts'
import { type Config, ConfigError } from '../config.ts'
import { acceptedOptions, loadEmbedded, surviveLosses } from '../database.ts'
import { refusal } from '../database-errors.ts'
import { checkTables } from '../tables/tables.ts'
import type { Io } from './command.ts'
import { configOf, type HostOptions, isHost } from './local-host.ts'

/** One thing that was looked at. */
export interface Finding {
  good: boolean
  about: string
  /** What was found; for something bad, with its cure. */
  says: string
}

/** Clocks further apart than this let expired tokens in, or keep fresh ones out, in milliseconds. */
const MAX_SKEW_MS = 5000

/** Looks at all a host needs: Node, the environment, Postgres, clocks, tables, Redis and the port. Changes nothing. */
export async function examine(options: HostOptions, io: Io): Promise<Finding[]> {
  const found = [examineNode(process.versions.node)]
  try {
    const config = configOf(options, io)
    const environment = { good: true, about: 'environment', says: 'every variable can be used' }
    return [...found, environment, ...(await database(config)), ...(await redis(config)), await port(config)]
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [...found, ...error.problems.map(says => ({ good: false, about: 'environment', says }))]
  }
}

/** A line for each, with a tick or a cross. */
export function tick({ good, about, says }: Finding): string {
  return `${good ? '✓' : '✗'} ${about.padEnd(11)} ${says}`
}

/** @param version such as `20.19.0` */
export function examineNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const good = major > 20 || (major === 20 && minor >= 19)
  return { good, about: 'node', says: good ? version : `${version} is too old: install Node 20.19 or later` }
}

async function database(config: Config): Promise<Finding[]> {
  if (config.databaseUrl !== null) return askDatabase(config.databaseUrl, true)
  const { openDatabase, DatabaseError } = await loadEmbedded()
  const kept = join(config.dataDirectory, 'postgres')
  const made = existsSync(kept)
  try {
    const opened = await (made ? openDatabase({ dataDirectory: kept }) : openThrowAway())
    try {
      return await askDatabase(opened.connectionString, made)
    } finally {
      await opened.close()
    }
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    const inUse = error.code === 'EDB_IN_USE'
    return [{ good: inUse, about: 'postgres', says: inUse ? `embedded, open in a host that runs` : error.message }]
  }
}

/** What a first start would make, somewhere else. */
async function openThrowAway() {
  const { openTestServer } = await import('embedded-database/testing')
  return openTestServer()
}

/** @param tables whether Better Auth's are to be there already. */
async function askDatabase(connectionString: string, tables: boolean): Promise<Finding[]> {
  const pool = new pg.Pool({ ...(await acceptedOptions(connectionString)), max: 2, query_timeout: 5000 })
  surviveLosses(pool, () => {})
  try {
    const { rows } = await pool.query<{ version: string }>("select current_setting('server_version') as version")
    const found: Finding[] = [{ good: true, about: 'postgres', says: rows[0]?.version ?? '' }, await clocks(pool)]
    return [...found, ...(tables ? [...(await columns(pool)), await own(pool)] : [])]
  } catch (error) {
    const says = refusal(connectionString, error)?.replace(/\.$/, '')
    if (says === undefined) throw error
    return [{ good: false, about: 'postgres', says }]
  } finally {
    await pool.end()
  }
}

async function clocks(pool: pg.Pool): Promise<Finding> {
  const asked = Date.now()
  const { rows } = await pool.query<{ now: string }>('select extract(epoch from clock_timestamp()) * 1000 as now')
  // Half of the way there and back is what the answer took.
  const skew = Math.round(Number(rows[0]?.now) - (asked + Date.now()) / 2)
  const good = Math.abs(skew) <= MAX_SKEW_MS
  const says = `the database's is ${skew} ms from ours`
  return { good, about: 'clocks', says: good ? says : `${says}: set both by NTP` }
}

async function columns(pool: pg.Pool): Promise<Finding[]> {
  const app = Fastify()
  try {
    await app.register(betterAuthUser, { database: pool, checkAtStart: false })
    await app.ready()
    const problems = await app.betterAuthUser.check()
    if (problems.length === 0) return [{ good: true, about: 'better-auth', says: 'its tables and columns are there' }]
    return problems.map(says => ({ good: false, about: 'better-auth', says }))
  } finally {
    await app.close()
  }
}

async function own(pool: pg.Pool): Promise<Finding> {
  const problems = [...(await checkChatkit(pool)), ...(await checkTables(pool))]
  const says =
    problems.length === 0 ? "the host's own are up to date" : `${problems.join(' ')} Starting the host does it.`
  return { good: problems.length === 0, about: 'tables', says }
}

async function redis({ redisUrl }: Config): Promise<Finding[]> {
  if (redisUrl === null) return []
  const { Redis } = await import('ioredis')
  const client = new Redis(redisUrl, { lazyConnect: true, connectTimeout: 3000, retryStrategy: () => null })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.ping()
    return [{ good: true, about: 'redis', says: 'answers' }]
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return [{ good: false, about: 'redis', says: `cannot be used (${code ?? message}): check REDIS_URL` }]
  } finally {
    client.disconnect()
  }
}

async function port({ host, port }: Config): Promise<Finding> {
  const about = 'port'
  const code = await new Promise<string | undefined>(resolve => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
  if (code === undefined) return { good: true, about, says: `${port} is free` }
  if (code !== 'EADDRINUSE')
    return { good: false, about, says: `${port} on ${host} cannot be had (${code}): choose another HOST or PORT` }
  if (await isHost(localUrl({ host, port }))) return { good: true, about, says: `${port} is where a host answers` }
  return { good: false, about, says: `${port} is taken by another program: stop it, or set PORT` }
}
