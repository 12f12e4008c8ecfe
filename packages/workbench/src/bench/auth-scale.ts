// Whether knowing the caller costs more where there are more users.
import { postgresIdentityStore } from 'fastify-better-auth-user'
import { ALL_KINDS, ORIGIN, SECRET } from './auth-variants.ts'
import type { Bench, Context } from './bench.ts'
import { describeDatabase } from './machine.ts'
import { type Exchange, get, type LoadReport, startLoader } from './process/load.ts'
import { type MeasuredServer, startServer } from './process/measured-server.ts'
import type { Figure, Outcome } from './result.ts'
import { figuresOf, measureRounds, ratioFigures, type Samples, type Variant } from './rounds.ts'
import { headersFor, type Keys } from './rows/credentials.ts'
import { explainAll, type Plan, wholeTables } from './rows/explain.ts'
import { makeTables, seedPeople, sessionId, sessionToken, userId } from './rows/people.ts'
import { quantile, spreadOf } from './statistics.ts'
import { numberOf } from './table.ts'

const CONNECTIONS = 50
/** Most different users that ask, in turn: spread over all there are, so that their rows are, too. */
const CALLERS = 20_000
/** The two look-ups: by the token of a session, and by the user a JWT names. */
const KINDS = { 'session token': 'raw', HS256: 'hs256' } as const
/** So many connections that the load never waits for one. */
const STEADY_CONNECTIONS = 200
const LARGEST = 1_000_000
/** Beside the others at half load, with as many requests as the quickest of them. */
const BARE = 'bare route'

type Kind = keyof typeof KINDS

const subjectOf = (people: number, kind: Kind) => `${people.toLocaleString('en-US')} users, ${kind}`

export const authScale: Bench = {
  title: 'Knowing who is calling, among more and more users',
  async run(context) {
    const { full, say } = context
    const sizes = [1000, 10_000, 100_000, ...(full ? [LARGEST] : [])]
    const loader = startLoader()
    const opened: { close(): Promise<void> }[] = [loader]
    try {
      const variants: Variant[] = []
      const plans: Record<string, Plan[]> = {}
      let postgres = 'PostgreSQL'
      for (const people of sizes) {
        const database = await context.newDatabase()
        postgres = await describeDatabase(database.connectionString)
        // Servers before their database, and that before the loader.
        opened.unshift(database)
        const key = await makeTables(database.connectionString, SECRET)
        await seedPeople(database.connectionString, people)
        plans[`${people.toLocaleString('en-US')} users`] = await explain(database.connectionString)
        say(`${people} users`)
        for (const kind of Object.keys(KINDS) as Kind[]) {
          const server = await start(subjectOf(people, kind), context, database.connectionString)
          opened.unshift(server)
          const exchanges = await exchangesFor(kind, people, { secret: SECRET, key, origin: ORIGIN })
          variants.push({ name: subjectOf(people, kind), server, exchanges })
        }
      }
      const rounds = full ? 21 : 11
      const samples = await measureRounds({
        loader,
        variants,
        rounds,
        connections: CONNECTIONS,
        secondsEach: full ? 0.25 : 0.15,
        say
      })
      // What the machine does besides delays a route that asks nothing, too: at the highest of the rates.
      const bare = await startServer({ server: 'bare', settings: { id: userId(0) }, label: 'bare' })
      opened.unshift(bare)
      const nothing = [{ request: get('/me', {}), body: JSON.stringify({ id: userId(0) }) }]
      const rateOf = (name: string) => quantile(samples.get(name)?.map(one => one.perSecond) ?? [], 0.5) / 2
      const highest = Math.max(...variants.map(({ name }) => rateOf(name)))
      const steady = new Map<string, LoadReport[]>()
      for (const { name, server, exchanges } of [...variants, { name: BARE, server: bare, exchanges: nothing }]) {
        await loader.aim({ port: server.port, exchanges })
        const perSecond = name === BARE ? highest : rateOf(name)
        const load = { perSecond, seconds: full ? 3 : 1, connections: STEADY_CONNECTIONS }
        // The first opens the connections.
        await loader.steady({ ...load, seconds: 0.5 })
        const reports: LoadReport[] = []
        for (let round = 0; round < 3; round++) reports.push(await loader.steady(load))
        steady.set(name, reports)
        say(`${name}: at half the load`)
      }
      const ratios = (Object.keys(KINDS) as Kind[]).flatMap(kind => ratiosTo(kind, sizes, samples))
      return {
        figures: [
          ...figuresOf(samples, { measure: 'CPU', unit: 'µs/request', better: 'less' }, one => one.cpuMicroseconds),
          ...ratios,
          ...figuresOf(samples, { measure: 'requests', unit: '1/s', better: 'more' }, one => one.perSecond),
          ...latencies(steady, 'p50 at half load', one => one.p50Ms),
          ...latencies(steady, 'p99 at half load', one => one.p99Ms)
        ],
        outcomes: [judge(sizes, ratios, steady, plans)],
        setting: [
          `Three sessions a user; ${CALLERS.toLocaleString('en-US')} of the users (or all) ask in turn. ${rounds} rounds over ${CONNECTIONS} connections find CPU and the saturating rate; then requests come at half that rate whether or not earlier ones have been answered, and wait from when they were due.`,
          `No identity is cached. The server, ${postgres} and the load share the machine.`
        ],
        details: { plans }
      }
    } finally {
      for (const one of opened) await one.close()
    }
  }
}

function start(label: string, { profile }: Context, connectionString: string): Promise<MeasuredServer> {
  const settings = { connectionString, options: ALL_KINDS }
  return startServer({ server: 'plugin', settings, label: label.replace(/\W+/g, '-'), profile })
}

function exchangesFor(kind: Kind, people: number, keys: Keys): Promise<Exchange[]> {
  const callers = Math.min(people, CALLERS)
  return Promise.all(
    Array.from({ length: callers }, async (_, index) => {
      const caller = 1 + Math.floor((index * people) / callers)
      const request = get('/me', await headersFor(KINDS[kind], caller, keys))
      return { request, body: JSON.stringify({ id: userId(caller) }) }
    })
  )
}

/** Every statement of the store: alone, and where several of one turn go together. */
function explain(connectionString: string): Promise<Plan[]> {
  return explainAll(connectionString, async pool => {
    const store = postgresIdentityStore(pool)
    const subject = { by: 'subject', sessionId: null, email: null } as const
    await store.find({ by: 'session-token', sessionToken: sessionToken(500, 1) })
    await store.find({ ...subject, subject: userId(500) })
    await store.find({ ...subject, subject: userId(500), sessionId: sessionId(500, 1) })
    await store.find({ by: 'email', email: 'user-500@example.com' })
    const crowd = Array.from({ length: 40 }, (_, index) => index + 1)
    await Promise.all(crowd.map(user => store.find({ by: 'session-token', sessionToken: sessionToken(user, 1) })))
    await Promise.all(crowd.map(user => store.find({ ...subject, subject: userId(user) })))
  })
}

function ratiosTo(kind: Kind, sizes: readonly number[], samples: Samples): Figure[] {
  const names = sizes.map(people => subjectOf(people, kind))
  const own = new Map([...samples].filter(([name]) => names.includes(name)))
  return ratioFigures(own, names[0] ?? '', { measure: 'CPU ÷ 1,000 users', better: 'less' }, one => one.cpuMicroseconds)
}

function latencies(
  steady: ReadonlyMap<string, LoadReport[]>,
  measure: string,
  take: (report: LoadReport) => number
): Figure[] {
  return [...steady].map(([subject, reports]) => ({
    subject,
    measure,
    unit: 'ms',
    better: 'less',
    ...spreadOf(reports.map(take))
  }))
}

function judge(
  sizes: readonly number[],
  ratios: readonly Figure[],
  steady: ReadonlyMap<string, LoadReport[]>,
  plans: Record<string, Plan[]>
): Outcome {
  const most = sizes.at(-1) ?? 0
  const names = (Object.keys(KINDS) as Kind[]).map(kind => subjectOf(most, kind))
  const ratio = Math.max(...ratios.filter(({ subject }) => names.includes(subject)).map(({ median }) => median))
  const p99Of = (name: string) => quantile(steady.get(name)?.map(one => one.p99Ms) ?? [], 0.5)
  const p99 = Math.max(...names.map(p99Of))
  const slow = [...new Set((plans[`${most.toLocaleString('en-US')} users`] ?? []).flatMap(wholeTables))]
  const said = `With ${most.toLocaleString('en-US')} users a request costs ${numberOf(ratio)} × the CPU it costs with 1,000, and p99 at half load is ${numberOf(p99)} ms (of a bare route ${numberOf(p99Of(BARE))} ms)`
  const steps = slow.length === 0 ? 'every plan goes by an index' : `plans with ${slow.join('; ')}`
  // With fewer users nothing is said of the target.
  return {
    target: 'P5',
    met: most < LARGEST ? null : ratio <= 1.1 && p99 <= 5 && slow.length === 0,
    said: `${said}; ${steps}.`
  }
}
