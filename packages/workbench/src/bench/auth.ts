// What knowing the caller costs: the plugin, fresh and with each kind of credential, beside what else there is.

import { Refusal } from '../command.ts'
import { judge } from './auth-targets.ts'
import { type AuthVariant, authVariants, exchangesFor, ORIGIN, SECRET } from './auth-variants.ts'
import type { Bench, Context } from './bench.ts'
import { describeDatabase } from './machine.ts'
import { startLoader } from './process/load.ts'
import { type MeasuredServer, startServer } from './process/measured-server.ts'
import { findPython, startSeedStack } from './process/seed-stack.ts'
import { figuresOf, measureRounds, ratioFigures, type Samples, type Variant } from './rounds.ts'
import { makeTables, seedPeople } from './rows/people.ts'
import { numberOf } from './table.ts'

const CONNECTIONS = 50
/** Different users that ask, in turn. */
const CALLERS = 1000

export const auth: Bench = {
  title: 'Knowing who is calling',
  async run(context) {
    const { full, say } = context
    const people = full ? 100_000 : 10_000
    const chosen = authVariants.filter(({ name }) => context.only === null || context.only.includes(name))
    if (chosen.length === 0)
      throw new Refusal(`--only names none of ${authVariants.map(({ name }) => name).join(', ')}`)
    const database = await context.newDatabase()
    const loader = startLoader()
    const servers: MeasuredServer[] = []
    try {
      const keys = { secret: SECRET, key: await makeTables(database.connectionString, SECRET), origin: ORIGIN }
      await seedPeople(database.connectionString, people)
      say(`${people} users with three sessions each`)
      const callers = Array.from({ length: CALLERS }, (_, caller) => 1 + Math.floor((caller * people) / CALLERS))
      const variants: Variant[] = []
      for (const variant of chosen) {
        const server = await start(variant, context, database.connectionString)
        if (server === null) continue
        servers.push(server)
        variants.push({ name: variant.name, server, exchanges: await exchangesFor(variant, server, callers, keys) })
      }
      const pace = { loader, say, rounds: full ? 25 : 11, secondsEach: full ? 0.25 : 0.15 }
      const crowd = await measureRounds({ ...pace, variants, connections: CONNECTIONS })
      say('now one connection')
      const single = await measureRounds({
        ...pace,
        variants: variants.filter(({ name }) => authVariants.some(one => one.name === name && one.alone)),
        connections: 1,
        rounds: full ? 9 : 5
      })
      return {
        figures: figures(crowd, single),
        outcomes: judge(crowd, single),
        setting: [
          `${people.toLocaleString('en-US')} users with three sessions each; ${CALLERS} of them ask in turn, over ${CONNECTIONS} kept connections, then over one.`,
          `${pace.rounds} rounds once all are warm, every server under load for about ${pace.secondsEach} s in each, one after the other, there and back.`,
          `The server, ${await describeDatabase(database.connectionString)} and the load share the machine; the CPU is that of the server’s process alone. Every answer was checked for its status and its user.`,
          await recalledParts(variants)
        ]
      }
    } finally {
      for (const server of servers) await server.close()
      await loader.close()
      await database.close()
    }
  }
}

/** `null` for what this machine does not have. */
async function start({ name, server, settings }: AuthVariant, { profile, say }: Context, connectionString: string) {
  if (server !== 'seed-stack') {
    return startServer({ server, settings: { connectionString, ...settings }, label: name, profile })
  }
  const python = await findPython()
  if (python !== null) return startSeedStack(python, { connectionString, secret: SECRET, issuer: ORIGIN })
  say('without the Python stack of the first documents: packages/workbench/bench/seed-stack says what it needs')
  return null
}

/** How much of what was asked the caches answered: little of it, and cached mode was not measured at all. */
async function recalledParts(variants: readonly Variant[]): Promise<string> {
  const cached = variants.filter(({ name }) => name.startsWith('cached-'))
  const parts = await Promise.all(
    cached.map(async ({ server }) => {
      const { cache } = await server.ask<{ cache: { recalled: number; missed: number } }>('stats')
      return cache.recalled / (cache.recalled + cache.missed)
    })
  )
  return parts.length === 0
    ? ''
    : `Of the cached identities ${numberOf(Math.min(...parts) * 100)} % or more came from the cache.`
}

function figures(crowd: Samples, single: Samples) {
  return [
    ...figuresOf(crowd, { measure: 'CPU', unit: 'µs/request', better: 'less' }, one => one.cpuMicroseconds),
    ...ratioFigures(crowd, 'bare', { measure: 'CPU ÷ bare', better: 'less' }, one => one.cpuMicroseconds),
    ...figuresOf(crowd, { measure: 'requests', unit: '1/s', better: 'more' }, one => one.perSecond),
    ...figuresOf(crowd, { measure: 'p99', unit: 'ms', better: 'less' }, one => one.p99Ms),
    ...figuresOf(single, { measure: 'median, 1 connection', unit: 'ms', better: 'less' }, one => one.p50Ms)
  ]
}
