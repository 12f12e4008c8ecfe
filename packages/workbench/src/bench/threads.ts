// What a page costs: of a long thread and a short one, of the list of many threads and of few.
import { postgresThreadStore } from 'fastify-chatkit'
import type { Bench } from './bench.ts'
import { type Exchange, post, startLoader } from './process/load.ts'
import { type MeasuredServer, startServer } from './process/measured-server.ts'
import type { Figure, Outcome } from './result.ts'
import { figuresOf, measureRounds, type Samples } from './rounds.ts'
import { explainAll, type Plan, sorts, wholeTables } from './rows/explain.ts'
import * as rows from './rows/threads.ts'
import { OWNER } from './server/chatkit.ts'
import { ratiosOf, spreadOf } from './statistics.ts'
import { numberOf } from './table.ts'

const PAGE = 20

/** One page to ask for. */
interface Ask {
  name: string
  /** The one whose cost it should have, where that is not itself. */
  like?: string
  owner: string
  type: 'items.list' | 'threads.list'
  params: { thread_id?: string; limit: number; order: 'desc'; after?: string }
  /** Id of the first record of the right page. */
  first: string
}

export const threads: Bench = {
  title: 'Pages of threads and of lists of threads',
  async run({ full, say, only, profile, newDatabase }) {
    const size: rows.ThreadRows = { items: 100_000, threads: 100_000, others: full ? 1_000_000 : 200_000 }
    const database = await newDatabase()
    const loader = startLoader()
    let server: MeasuredServer | null = null
    try {
      await rows.seedThreads(database.connectionString, size)
      say(`${size.items} items, ${size.threads} and ${size.others} threads`)
      const settings = { connectionString: database.connectionString }
      const started = await startServer({ server: 'chatkit', settings, label: 'chatkit', profile })
      server = started
      const asks = asksFor(size).filter(({ name }) => only === null || only.includes(name))
      const variants = []
      for (const ask of asks)
        variants.push({ name: ask.name, server: started, exchanges: [await exchangeFor(ask, started.port)] })
      const rounds = full ? 17 : 9
      const samples = await measureRounds({
        loader,
        variants,
        say,
        rounds,
        connections: 1,
        secondsEach: full ? 0.25 : 0.15
      })
      const plans = await explain(database.connectionString, asks)
      const ratios = ratiosFor(asks, samples)
      return {
        figures: [
          ...figuresOf(samples, { measure: 'median', unit: 'ms', better: 'less' }, one => one.p50Ms),
          ...ratios,
          ...figuresOf(samples, { measure: 'p99', unit: 'ms', better: 'less' }, one => one.p99Ms),
          ...figuresOf(
            samples,
            { measure: 'CPU of the server', unit: 'µs/request', better: 'less' },
            one => one.cpuMicroseconds
          )
        ],
        // With fewer rows nothing is said of the target.
        outcomes: [judge(ratios, plans, full)],
        setting: [
          `Pages of ${PAGE}, newest first, over a socket, one request at a time, from a Postgres store: threads of 100 and of ${size.items.toLocaleString('en-US')} items; lists of 100 and of ${size.threads.toLocaleString('en-US')} threads among ${size.others.toLocaleString('en-US')} of others.`,
          `${rounds} rounds once all are warm. The last page is the one that ends with the oldest record. What a page waits for includes the database.`
        ],
        details: { plans }
      }
    } finally {
      await server?.close()
      await loader.close()
      await database.close()
    }
  }
}

function asksFor({ items, threads: most }: rows.ThreadRows): Ask[] {
  const pages = (
    about: Pick<Ask, 'owner' | 'type'> & { thread_id?: string },
    count: number,
    id: (n: number) => string
  ) => {
    const { owner, type, thread_id } = about
    const params = { limit: PAGE, order: 'desc' as const, ...(thread_id === undefined ? {} : { thread_id }) }
    return {
      first: { owner, type, params, first: id(count) },
      last: { owner, type, params: { ...params, after: id(PAGE + 1) }, first: id(PAGE) }
    }
  }
  const item = (thread_id: string, count: number) =>
    pages({ owner: rows.READER, type: 'items.list', thread_id }, count, rows.itemId)
  const list = (owner: string, count: number) => pages({ owner, type: 'threads.list' }, count, rows.threadId)
  const [short, long] = [item(rows.SHORT_THREAD, 100), item(rows.LONG_THREAD, items)]
  const [few, many] = [list(rows.BEGINNER, 100), list(rows.HOARDER, most)]
  return (['first', 'last'] as const).flatMap(page => [
    { name: `${page} page of a short thread`, ...short[page] },
    { name: `${page} page of a long thread`, like: `${page} page of a short thread`, ...long[page] },
    { name: `${page} page of few threads`, ...few[page] },
    { name: `${page} page of many threads`, like: `${page} page of few threads`, ...many[page] }
  ])
}

/** Asked once and looked at; from then on every answer must be that one. */
async function exchangeFor({ name, owner, type, params, first }: Ask, port: number): Promise<Exchange> {
  const reply = await fetch(`http://127.0.0.1:${port}/chatkit`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', [OWNER]: owner },
    body: JSON.stringify({ type, params })
  })
  const body = await reply.text()
  const { data } = JSON.parse(body) as { data?: { id: string }[] }
  if (data?.length !== PAGE || data[0]?.id !== first) throw new Error(`The ${name} is not right: ${body.slice(0, 200)}`)
  return { request: post('/chatkit', { [OWNER]: owner }, { type, params }), body }
}

function explain(connectionString: string, asks: readonly Ask[]): Promise<Plan[]> {
  return explainAll(connectionString, async pool => {
    const store = postgresThreadStore(pool)
    for (const { owner, type, params } of asks) {
      const { thread_id, ...page } = params
      const owned = store.forOwner(owner)
      await (type === 'items.list' ? owned.listItems(thread_id ?? '', page) : owned.listThreads(page))
    }
  })
}

/** How much longer each page takes than the one whose cost it should have, round by round. */
function ratiosFor(asks: readonly Ask[], samples: Samples): Figure[] {
  return asks.flatMap(({ name, like = '' }) => {
    const [taken, base] = [samples.get(name), samples.get(like)]
    if (taken === undefined || base === undefined) return []
    const ratios = ratiosOf(
      taken.map(one => one.p50Ms),
      base.map(one => one.p50Ms)
    )
    return [{ subject: name, measure: '÷ the small one', unit: '', better: 'less' as const, ...spreadOf(ratios) }]
  })
}

function judge(ratios: readonly Figure[], plans: readonly Plan[], full: boolean): Outcome {
  const slow = [...new Set(plans.flatMap(plan => [...wholeTables(plan), ...sorts(plan)]))]
  const met = ratios.length < 4 || !full ? null : ratios.every(({ median }) => median <= 1.2) && slow.length === 0
  const said = ratios.map(({ subject, median }) => `${subject} ${numberOf(median)} ×`).join(', ')
  const steps =
    slow.length === 0 ? 'every plan is a range of an index, without a sort' : `plans with ${slow.join('; ')}`
  return { target: 'P8', met, said: `${said}; ${steps}.` }
}
