import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { findBinaries } from './binaries.ts'
import { connectionStringFor, startOnPort } from './index.ts'
import { makeCluster } from './make-cluster.ts'
import { chooseServerUser } from './server-user.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

export interface TestDatabase {
  connectionString: string
  /** Drops the database. Sessions that are still there a second later are ended. */
  close(): Promise<void>
}

export interface TestServer {
  /** Of the database `postgres`, which is empty at first. */
  connectionString: string
  port: number
  /** The server goes away: sessions are ended, new connections are refused. */
  stop(): Promise<void>
  /** It comes back, on the same port and with the same data. */
  start(): Promise<void>
  /** Ends the server and removes its data. */
  close(): Promise<void>
}

/**
 * A server of one's own, to be stopped and started: for tests of an outage. Never that of TEST_DATABASE_URL.
 *
 * It does not keep the process alive; at the end of the process it goes away with its data.
 */
export async function openTestServer(): Promise<TestServer> {
  const user = chooseServerUser()
  const binaries = findBinaries(user)
  const folder = makeTemporaryFolder(user)
  try {
    const data = join(folder.path, 'data')
    mkdirSync(data, { mode: 0o700 })
    const cluster = await makeCluster(data, folder.path, { binaries, user, durable: false })
    const options = { ...cluster, binaries, durable: false }
    let server = await startOnPort(0, options)
    const { port } = server
    return {
      connectionString: connectionStringFor(cluster, port),
      port,
      stop: () => server.stop(),
      async start() {
        await server.stop()
        server = await startOnPort(port, options)
      },
      async close() {
        await server.stop()
        await folder.remove()
      }
    }
  } catch (error) {
    await folder.remove()
    throw error
  }
}

// One server a process, for as long as someone has a database on it and a moment longer: the next test follows soon.
let shared: Promise<TestServer> | undefined
let databases = 0
let farewell: NodeJS.Timeout | undefined
const lingerMs = 1000
/** For sessions on their way out. */
const patienceMs = 1000

/**
 * A new, empty database: on the server of the environment variable TEST_DATABASE_URL, or where that is not set on a
 * throw-away server of this process.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const given = process.env.TEST_DATABASE_URL
  const server = given ? parseGivenUrl(given) : await enterSharedServer()
  const name = `test_${randomBytes(8).toString('hex')}`
  let closed: Promise<void> | undefined
  try {
    await withClient(server, client => create(client, name))
  } catch (error) {
    if (!given) leaveSharedServer()
    throw error
  }
  const database = new URL(server)
  database.pathname = `/${name}`
  const drop = async () => {
    try {
      await withClient(server, async client => {
        await departures(client, name)
        await client.query(`drop database if exists ${name} with (force)`)
      })
    } finally {
      if (!given) leaveSharedServer()
    }
  }
  return {
    connectionString: database.href,
    close() {
      closed ??= drop()
      return closed
    }
  }
}

function parseGivenUrl(given: string): URL {
  if (/^postgres(ql)?:/.test(given) && URL.canParse(given)) return new URL(given)
  // Without the value: it may hold a password.
  throw new TypeError('TEST_DATABASE_URL is not a URL of the form postgres://user:password@host:port/database.')
}

async function enterSharedServer(): Promise<URL> {
  clearTimeout(farewell)
  databases++
  shared ??= openTestServer()
  try {
    return new URL((await shared).connectionString)
  } catch (error) {
    shared = undefined
    databases--
    throw error
  }
}

function leaveSharedServer() {
  databases--
  if (databases > 0) return
  farewell = setTimeout(() => {
    const server = shared
    shared = undefined
    // Nobody waits for this; what cannot be stopped now is stopped with the process.
    server?.then(({ close }) => close()).catch(() => undefined)
  }, lingerMs).unref()
}

/** Who copies files waits until all is on disk. Where nothing is written for good, it is a third of the work of a copy by the log. */
const COPIES_FILES = `
  select current_setting('fsync') = 'off' and current_setting('server_version_num')::int >= 150000 as "copiesFiles"`

async function create(client: pg.Client, name: string) {
  const { rows } = await client.query<{ copiesFiles: boolean }>(COPIES_FILES)
  const strategy = rows[0]?.copiesFiles ? 'strategy file_copy' : ''
  // Not template1: PostgreSQL refuses to copy it while anybody is connected to it.
  await client.query(`create database ${name} template template0 ${strategy}`)
}

/**
 * A client that was ended, and above all a pool, does not wait for its sessions to be gone. One that the server ends
 * meanwhile fails with 57P01, in a process that had done everything right.
 */
async function departures(client: pg.Client, database: string) {
  const deadline = Date.now() + patienceMs
  const present = { text: 'select from pg_stat_activity where datname = $1', values: [database] }
  while (((await client.query(present)).rowCount ?? 0) > 0 && Date.now() < deadline) await sleep(10)
}

async function withClient(server: URL, use: (client: pg.Client) => Promise<unknown>) {
  const client = new pg.Client({ connectionString: server.href, connectionTimeoutMillis: 10_000 })
  // A connection may break after the answer; the answer is what counts.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.end()
  }
}
