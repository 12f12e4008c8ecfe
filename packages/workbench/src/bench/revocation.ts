// How long somebody who lost their standing is still served, where identities are cached.
import pg from 'pg'
import { ALL_KINDS, ORIGIN, SECRET } from './auth-variants.ts'
import type { Bench } from './bench.ts'
import { type HttpConnection, openHttpConnection } from './process/http-connection.ts'
import { type Exchange, get, type Loader, startLoader } from './process/load.ts'
import { type MeasuredServer, startServer } from './process/measured-server.ts'
import type { Figure, Findings, Outcome } from './result.ts'
import { revocationSorts, type Sort } from './revocation-sorts.ts'
import { isServed, type Taken, watch } from './revocation-watch.ts'
import { headersFor, type Keys } from './rows/credentials.ts'
import { makeTables, seedPeople, sessionToken, userId } from './rows/people.ts'
import { quantile, spreadOf } from './statistics.ts'
import { numberOf } from './table.ts'

const PEOPLE = 10_000
/** Users 1 to this many ask all the time, and are never revoked. */
const CALLERS = 500
const PROCESSES = 2
/** Of each process, beside the requests of those who are watched. */
const PER_SECOND = 400

interface Figures {
  revocations: Map<string, Taken[]>
  cuts: Taken[]
}

export const revocation: Bench = {
  title: 'From a revocation to its refusal by two processes with warm caches',
  async run({ full, say, profile, newDatabase }) {
    const each = full ? 1000 : 20
    const cuts = full ? 25 : 5
    const database = await newDatabase()
    const { connectionString } = database
    const pool = new pg.Pool({ connectionString, max: 4 })
    const closing: (() => Promise<unknown>)[] = [() => pool.end(), () => database.close()]
    try {
      const keys = { secret: SECRET, key: await makeTables(connectionString, SECRET), origin: ORIGIN }
      await seedPeople(connectionString, PEOPLE)
      const servers: MeasuredServer[] = []
      const connections: HttpConnection[] = []
      const settings = { connectionString, options: { ...ALL_KINDS, cache: true } }
      for (let index = 1; index <= PROCESSES; index++) {
        const server = await startServer({ server: 'plugin', settings, label: `revocation-${index}`, profile })
        servers.push(server)
        connections.push(await openHttpConnection(server.port))
        closing.unshift(() => server.close())
      }
      const background = await startBackground(servers, keys)
      closing.unshift(background.stop)

      const found: Figures = { revocations: new Map(), cuts: [] }
      let user = CALLERS
      for (const sort of revocationSorts(pool)) {
        const taken: Taken[] = []
        for (let times = 0; times < each; times++) taken.push(...(await revokeOne(sort, ++user, connections, keys)))
        found.revocations.set(sort.name, taken)
        say(`${sort.name}: ${each} times`)
      }
      for (let times = 0; times < cuts; times++)
        found.cuts.push(...(await cutOne(pool, ++user, servers, connections, keys)))
      say(`connection cut: ${cuts} times`)
      // Whoever was not revoked must have been served all the time.
      await background.stop()
      const recalled = await Promise.all(servers.map(recalledPart))
      for (const connection of connections) connection.close()
      return findings(found, each, recalled)
    } finally {
      for (const close of closing) await close()
    }
  }
}

/** @returns what each process did, refusing the user as of this. */
async function revokeOne(
  sort: Sort,
  user: number,
  connections: readonly HttpConnection[],
  keys: Keys
): Promise<Taken[]> {
  const credential = sort.credentials[user % sort.credentials.length] ?? 'raw'
  const request = get('/me', await headersFor(credential, user, keys))
  await sort.prepare?.(user)
  await warm(connections, request)
  const effect = await sort.revoke(user)
  return Promise.all(connections.map(connection => watch(connection, request, effect)))
}

/** The processes lose their listening connections; then somebody signs out, and no channel tells of it. */
async function cutOne(
  pool: pg.Pool,
  user: number,
  servers: readonly MeasuredServer[],
  connections: readonly HttpConnection[],
  keys: Keys
): Promise<Taken[]> {
  for (const server of servers) await trusted(server)
  const request = get('/me', await headersFor('raw', user, keys))
  await warm(connections, request)
  const client = await pool.connect()
  try {
    const { rows } = await client.query<{ gone: boolean }>(
      `select pg_terminate_backend(pid, 5000) as gone from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and query like '-- fastify-better-auth-user listens%'`
    )
    if (rows.length !== servers.length) throw new Error(`${rows.length} listening connections were cut`)
    await client.query('delete from session where token = $1', [sessionToken(user, 1)])
  } finally {
    client.release()
  }
  const effect = performance.now()
  return Promise.all(connections.map(connection => watch(connection, request, effect)))
}

/** Twice, so that the second time it is the cache that answers. */
async function warm(connections: readonly HttpConnection[], request: string): Promise<void> {
  for (const connection of [...connections, ...connections]) {
    if (!(await isServed(connection, request))) throw new Error('Somebody is refused who was not revoked')
  }
}

interface CacheFigures {
  cache: { trusted: boolean; recalled: number; missed: number }
}

async function trusted(server: MeasuredServer): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    if ((await server.ask<CacheFigures>('stats')).cache.trusted) return
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  throw new Error('A cache is not trusted again')
}

async function recalledPart(server: MeasuredServer): Promise<number> {
  const { cache } = await server.ask<CacheFigures>('stats')
  return cache.recalled / (cache.recalled + cache.missed)
}

/** Requests of users nothing happens to, at a rate of their own, to each process. */
async function startBackground(servers: readonly MeasuredServer[], keys: Keys) {
  const exchanges: Exchange[] = await Promise.all(
    Array.from({ length: CALLERS }, async (_, index) => ({
      request: get('/me', await headersFor('raw', index + 1, keys)),
      body: JSON.stringify({ id: userId(index + 1) })
    }))
  )
  let stopped: Promise<void> | null = null
  let stopping = false
  const go = async (loader: Loader, { port }: MeasuredServer) => {
    try {
      await loader.aim({ port, exchanges })
      while (!stopping) await loader.steady({ perSecond: PER_SECOND, seconds: 0.5, connections: 50 })
    } finally {
      await loader.close()
    }
  }
  const going = Promise.all(servers.map(server => go(startLoader(), server)))
  // Not unhandled until it is asked for.
  going.catch(() => undefined)
  return {
    /** @throws Error when anybody was not served as they should be. */
    stop(): Promise<void> {
      stopping = true
      stopped ??= going.then(() => undefined)
      return stopped
    }
  }
}

function findings({ revocations, cuts }: Figures, each: number, recalled: readonly number[]): Findings {
  const all = [...revocations].map(([name, taken]) => ({ name, taken, both: slowerOf(taken) }))
  const times = all.flatMap(({ both }) => both)
  const afterwards = sum(all.flatMap(({ taken }) => taken.map(one => one.servedAfterwards)))
  const stale = sum(cuts.map(one => one.servedMeanwhile + one.servedAfterwards))
  const p99 = quantile(times, 0.99)
  const enough = times.length >= 1000
  const outcome: Outcome = {
    target: 'P4',
    met: enough || afterwards + stale > 0 || p99 > 50 ? p99 <= 50 && afterwards + stale === 0 : null,
    said: `Of ${times.length.toLocaleString('en-US')} revocations both processes refused within ${numberOf(p99)} ms at p99; ${afterwards} requests served after a refusal; ${stale} served after a commit while the channel was cut.`
  }
  return {
    figures: [
      ...all.flatMap(({ name, both, taken }) => rowOf(name, both, taken)),
      ...rowOf(
        'all',
        times,
        all.flatMap(({ taken }) => taken)
      ),
      ...rowOf('channel cut', slowerOf(cuts), cuts)
    ],
    outcomes: [outcome],
    setting: [
      `${PROCESSES} processes in cached mode, each under ${PER_SECOND} requests a second of ${CALLERS} other users, all of which were served; ${each} revocations of each sort, of users both caches know. From when the statement was sent (or the session’s instant came) to the end of the first refusal, of the slower process; both are asked without pause.`,
      `“served meanwhile” counts requests begun after the commit was acknowledged, or after the session’s instant. For “channel cut” the listening connections of both are terminated, then somebody’s session is deleted: it counts from the commit. ${recalled.map(part => `${numberOf(part * 100)} %`).join(' and ')} of the identities came from the caches.`
    ]
  }
}

/** Of both processes, the one that took longer. */
function slowerOf(taken: readonly Taken[]): number[] {
  return Array.from({ length: taken.length / PROCESSES }, (_, index) =>
    Math.max(...taken.slice(index * PROCESSES, (index + 1) * PROCESSES).map(one => one.refusedAfterMs))
  )
}

function rowOf(subject: string, both: readonly number[], taken: readonly Taken[]): Figure[] {
  const one = (measure: string, unit: string, value: number): Figure => {
    return { subject, measure, unit, better: 'less', min: value, median: value, max: value }
  }
  return [
    { subject, measure: 'refused by both', unit: 'ms', better: 'less', ...spreadOf(both) },
    one('p99', 'ms', quantile(both, 0.99)),
    one('served meanwhile', '', sum(taken.map(({ servedMeanwhile }) => servedMeanwhile))),
    one('served after a refusal', '', sum(taken.map(({ servedAfterwards }) => servedAfterwards)))
  ]
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
