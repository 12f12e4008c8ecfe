// pnpm doctor – Node, pnpm, the environment, Postgres, Better Auth's columns, clocks and the port: ticks and cures
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config, ConfigError } from 'chatkit-host'
import { DatabaseError, openDatabase } from 'embedded-database'
import Fastify from 'fastify'
import { betterAuthUser } from 'fastify-better-auth-user'
import pg from 'pg'
import { type Command, type Io, Refusal, readArgs } from './command.ts'
import { configOf, type HostOptions, isHost } from './host.ts'

interface Finding {
  good: boolean
  about: string
  /** What was found; for something bad, with its cure. */
  says: string
}

/** Clocks further apart than this let expired tokens in, or keep fresh ones out, in milliseconds. */
const MAX_SKEW_MS = 5000

/** Prints what it finds. @throws Refusal when something is to be put right. */
export const doctor: Command = async (args, io) => {
  const { options } = readArgs(args, ['data-dir'], 'pnpm doctor [--data-dir .data]')
  const findings = [node(process.versions.node), pnpm(io), ...(await surroundings(options, io))]
  for (const { good, about, says } of findings) io.print(`${good ? '✓' : '✗'} ${about.padEnd(11)} ${says}`)
  const bad = findings.filter(({ good }) => !good).length
  if (bad > 0) throw new Refusal(`${bad} to put right.`)
}

/** @param version such as `20.19.0` */
export function node(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const good = major > 20 || (major === 20 && minor >= 19)
  return { good, about: 'node', says: good ? version : `${version} is too old: install Node 20.19 or later` }
}

function pnpm({ environment }: Io): Finding {
  const manifest = new URL('../../../package.json', import.meta.url)
  const { packageManager } = JSON.parse(readFileSync(manifest, 'utf8')) as { packageManager: string }
  const pinned = packageManager.replace('pnpm@', '')
  const [, running] = /^pnpm\/(\S+)/.exec(environment.npm_config_user_agent ?? '') ?? []
  const found = running ?? (spawnSync('pnpm', ['--version'], { encoding: 'utf8' }).stdout ?? '').trim()
  if (found === '') return { good: true, about: 'pnpm', says: `none; npm start and npm test bring ${pinned}` }
  const good = found.split('.')[0] === pinned.split('.')[0]
  return {
    good,
    about: 'pnpm',
    says: good ? found : `${found} is not ${pinned}: run npx pnpm@${pinned}, or corepack enable`
  }
}

async function surroundings(options: HostOptions, io: Io): Promise<Finding[]> {
  try {
    const config = configOf(options, io)
    const environment = { good: true, about: 'environment', says: 'every variable can be used' }
    return [environment, ...(await database(config)), await port(config)]
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(says => ({ good: false, about: 'environment', says }))
  }
}

async function database(config: Config): Promise<Finding[]> {
  if (config.databaseUrl !== null) return askDatabase(config.databaseUrl, true)
  const kept = join(config.dataDirectory, 'postgres')
  const made = existsSync(kept)
  const directory = made ? kept : await mkdtemp(join(tmpdir(), 'workbench-doctor-'))
  try {
    const opened = await openDatabase({ dataDirectory: directory, durable: made })
    try {
      return await askDatabase(opened.connectionString, made)
    } finally {
      await opened.close()
    }
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    const inUse = error.code === 'EDB_IN_USE'
    return [{ good: inUse, about: 'postgres', says: inUse ? `embedded, open in a host that runs` : error.message }]
  } finally {
    if (!made) await rm(directory, { recursive: true, force: true })
  }
}

/** @param tables whether Better Auth's are to be there already. */
async function askDatabase(connectionString: string, tables: boolean): Promise<Finding[]> {
  const pool = new pg.Pool({ connectionString, max: 2, connectionTimeoutMillis: 5000, query_timeout: 5000 })
  pool.on('error', () => {})
  try {
    const { rows } = await pool.query<{ version: string }>("select current_setting('server_version') as version")
    const found: Finding[] = [{ good: true, about: 'postgres', says: rows[0]?.version ?? '' }, await clocks(pool)]
    return [...found, ...(tables ? await columns(pool) : [])]
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const says = `cannot be reached (${code ?? message}): check DATABASE_URL, and that PostgreSQL runs there`
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
  if (await isHost(`http://127.0.0.1:${port}`)) return { good: true, about, says: `${port} is where a host answers` }
  return { good: false, about, says: `${port} is taken by another program: stop it, or set PORT` }
}
