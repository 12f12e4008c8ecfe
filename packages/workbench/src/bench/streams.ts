// What a stream costs: each delta of it, the silence between, and a reader that does not read.
import type { Bench, Context } from './bench.ts'
import { post } from './process/load.ts'
import { type MeasuredServer, startServer } from './process/measured-server.ts'
import { type StreamReader, startStreamReader } from './process/streams.ts'
import type { Figure, Findings, Outcome } from './result.ts'
import { OWNER } from './server/chatkit.ts'
import { ENDLESS, IDLE } from './server/stream.ts'
import { quantile, ratiosOf, type Spread, spreadOf } from './statistics.ts'
import { numberOf } from './table.ts'

/** Read side by side. */
const STREAMS = 8
const DELTAS = 5000
const STALLED = 200
const MOST_IDLE = 10_000
const KIB = 1024

const LOOP = 'res.write in a loop'
const PLUGIN = 'fastify-chatkit'
const BESIDE = `${PLUGIN}, beside a reader that does not read`
const GONE = `${PLUGIN}, once that reader has gone`

interface Round {
  cpuMicroseconds: number
  perSecond: number
}

/** What one stream holds, in KiB. */
interface Held {
  idle: { resident: number[]; live: number[] }
  stalled: { live: number[]; unsent: number[] }
}

export const streams: Bench = {
  title: 'Streams: each delta, idle ones, and a reader that does not read',
  async run(context) {
    const { full, say, newDatabase } = context
    const database = await newDatabase()
    const reader = startStreamReader()
    try {
      const alone = { names: [LOOP, PLUGIN], prepare: async () => {} }
      const rounds = new Map([
        ...(await measureDeltas(context, database.connectionString, reader, alone)),
        ...(await measureDeltas(context, database.connectionString, reader, besideStalled(reader)))
      ])
      const held: Held = { idle: { resident: [], live: [] }, stalled: { live: [], unsent: [] } }
      const idle = full ? MOST_IDLE : 1000
      await measureHeld(context, database.connectionString, reader, idle, held)
      say(`${idle} idle streams, ${STALLED} stalled ones`)
      return findings(rounds, held, idle)
    } finally {
      await reader.close()
      await database.close()
    }
  }
}

interface Variants {
  names: readonly string[]
  /** Before each round of one. */
  prepare(name: string, server: MeasuredServer): Promise<void>
}

/**
 * A reader that does not read comes before either, and has gone before one of them: what it leaves for the collector of
 * garbage would else be on the other's bill alone.
 */
function besideStalled(reader: StreamReader): Variants {
  let stalled = 0
  return {
    names: [GONE, BESIDE],
    async prepare(name, server) {
      const { port } = server
      await reader.open({ port, requests: [ask(`stalled-${++stalled}`, ENDLESS)], stalled: true })
      await server.ask('stalled')
      if (name === BESIDE) return
      await reader.leave()
      await server.ask('left')
    }
  }
}

/** Variants in turn, as in other benches; each reads the same number of deltas. */
async function measureDeltas(
  { full, say, profile }: Context,
  connectionString: string,
  reader: StreamReader,
  { names, prepare }: Variants
): Promise<Map<string, Round[]>> {
  const label = names.includes(LOOP) ? 'stream' : 'stream-beside'
  const server = await startServer({ server: 'stream', settings: { connectionString }, label, profile })
  const { port } = server
  const rounds = new Map<string, Round[]>(names.map(name => [name, []]))
  const loop = Array.from({ length: STREAMS }, () => post('/loop', {}, { count: DELTAS }))
  let owner = 0
  const talk = () => Array.from({ length: STREAMS }, () => ask(`reader-${++owner}`, String(DELTAS)))
  try {
    const count = full ? 15 : 5
    for (let round = -2; round < count; round++) {
      for (const [name, taken] of rounds) {
        await prepare(name, server)
        await server.begin()
        const { seconds, frames } = await reader.read({ port, requests: name === LOOP ? loop : talk() })
        const { cpuMicroseconds } = await server.end()
        await reader.leave()
        const short = frames.find(found => found < DELTAS || found > DELTAS + 20)
        if (short !== undefined) throw new Error(`${name} sent ${short} frames for ${DELTAS} deltas`)
        const deltas = STREAMS * DELTAS
        // The first ones compile what is run.
        if (round >= 0) taken.push({ cpuMicroseconds: cpuMicroseconds / deltas, perSecond: deltas / seconds })
      }
    }
    say(`${count} rounds of ${STREAMS} × ${DELTAS} deltas, each of ${names.join(' · ')}`)
    return rounds
  } finally {
    await server.close()
  }
}

/** In a process of its own, since memory that was needed once is not given back. */
async function measureHeld(
  { profile }: Context,
  connectionString: string,
  reader: StreamReader,
  idle: number,
  held: Held
): Promise<void> {
  const label = 'stream-memory'
  const server: MeasuredServer = await startServer({ server: 'stream', settings: { connectionString }, label, profile })
  const { port } = server
  const several = (count: number, who: string, what: string) =>
    Array.from({ length: count }, (_, index) => ask(`${who}-${index}`, what))
  try {
    // What is needed but once.
    await reader.open({ port, requests: several(200, 'early', IDLE), stalled: false })
    await reader.leave()
    const empty = await server.remains()
    await reader.open({ port, requests: several(idle, 'idle', IDLE), stalled: false })
    const open = await server.remains()
    held.idle.resident.push((open.residentBytes - empty.residentBytes) / idle / KIB)
    held.idle.live.push((open.liveBytes - empty.liveBytes) / idle / KIB)
    await reader.open({ port, requests: several(STALLED, 'stalled', ENDLESS), stalled: true })
    await server.ask('stalled')
    const stalled = await server.remains()
    held.stalled.unsent.push((await server.ask<number>('unsent')) / KIB)
    held.stalled.live.push((stalled.liveBytes - open.liveBytes) / STALLED / KIB)
    await reader.leave()
  } finally {
    await server.close()
  }
}

function ask(owner: string, text: string): string {
  const input = { content: [{ type: 'input_text', text }], attachments: [], inference_options: {} }
  return post('/chatkit', { [OWNER]: owner }, { type: 'threads.create', params: { input } })
}

function findings(rounds: ReadonlyMap<string, Round[]>, held: Held, idle: number): Findings {
  const take = (name: string, what: keyof Round) => rounds.get(name)?.map(round => round[what]) ?? []
  const less = { better: 'less' } as const
  const figures: Figure[] = [...rounds.keys()].flatMap(subject => {
    const [base, measure] = [BESIDE, GONE].includes(subject) ? [GONE, 'CPU ÷ once gone'] : [LOOP, 'CPU ÷ loop']
    const cpu = take(subject, 'cpuMicroseconds')
    return [
      { subject, measure: 'CPU', unit: 'µs/delta', ...less, ...spreadOf(cpu) },
      { subject, measure, unit: '', ...less, ...ratio(cpu, take(base, 'cpuMicroseconds')) },
      { subject, measure: 'deltas', unit: '1/s', better: 'more', ...spreadOf(take(subject, 'perSecond')) }
    ]
  })
  const memory = (subject: string, measure: string, values: number[]): Figure => {
    return { subject, measure, unit: 'KiB', ...less, ...spreadOf(values) }
  }
  figures.push(
    memory('an idle stream', 'resident memory', held.idle.resident),
    memory('an idle stream', 'live memory', held.idle.live),
    memory('a stream nobody reads', 'live memory', held.stalled.live),
    memory('a stream nobody reads', 'unsent', held.stalled.unsent)
  )
  const cost = ratio(take(PLUGIN, 'cpuMicroseconds'), take(LOOP, 'cpuMicroseconds')).median
  // Of the time that is needed: the inverse of the rate.
  const slower = ratio(take(GONE, 'perSecond'), take(BESIDE, 'perSecond')).median
  const [each, stuck] = [quantile(held.idle.resident, 0.5), Math.max(...held.stalled.unsent)]
  const outcomes: Outcome[] = [
    {
      target: 'P6',
      met: cost <= 1.5,
      said: `${numberOf(cost)} × the CPU of the loop. The head came before the responder had said anything.`
    },
    {
      target: 'P7',
      met: idle < MOST_IDLE ? null : each <= 40 && stuck <= 64 && slower <= 1.05,
      said: `${numberOf(each)} KiB for each of ${idle.toLocaleString('en-US')} idle streams; of one nobody reads at most ${numberOf(stuck)} KiB wait in the process (${numberOf(quantile(held.stalled.live, 0.5))} KiB are referred to, the reply so far included), and others beside it take ${numberOf(slower)} × as long.`
    }
  ]
  return {
    figures,
    outcomes,
    setting: [
      `${STREAMS} streams side by side, each of ${DELTAS.toLocaleString('en-US')} deltas that come without delay, from a Postgres store; against the same frames, ready-made, written in a loop that waits for \`drain\`. ${rounds.get(PLUGIN)?.length} rounds once both are warm; as many beside one more stream, which nobody reads any longer, and after that has been left.`,
      `${idle.toLocaleString('en-US')} streams in which nothing is said, then ${STALLED} without an end of which nothing is read: growth of the server’s memory after a collection of garbage, for each.`
    ]
  }
}

function ratio(values: readonly number[], base: readonly number[]): Spread {
  return spreadOf(ratiosOf(values, base))
}
