// How soon the host answers, and what it needs of the memory once it has worked.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CHAT_PATH, SIGN_IN_PATH } from 'chatkit-host'
import type { Bench, Context } from './bench.ts'
import { type HostProcess, startHostProcess } from './process/host-process.ts'
import { type Exchange, post, startLoader } from './process/load.ts'
import type { Remains } from './process/remains.ts'
import type { Figure, Outcome } from './result.ts'
import { spreadOf } from './statistics.ts'
import { numberOf } from './table.ts'

const AFTER = [1000, 11_000, 21_000] as const
/** Less growth than this is called none. */
const FLAT = 1.05
const MIB = 2 ** 20

type Seconds = Record<'existing' | 'existing, with a sign-in' | 'embedded, new' | 'embedded, again', number[]>

export const start: Bench = {
  title: 'From the start of the host to its first answer, and its memory',
  async run(context) {
    const rounds = context.full ? 5 : 3
    const seconds: Seconds = {
      existing: [],
      'existing, with a sign-in': [],
      'embedded, new': [],
      'embedded, again': []
    }
    const memory = AFTER.map((): Remains[] => [])
    for (let round = 0; round <= rounds; round++) {
      const taken = await measureStarts(context)
      // The first one reads every file from the disk.
      if (round > 0) for (const [name, value] of taken) seconds[name].push(value)
      context.say(round === 0 ? 'warmed up' : `round ${round} of ${rounds}`)
    }
    for (let round = 0; round < (context.full ? 3 : 1); round++) {
      for (const [index, value] of (await measureMemory(context)).entries()) memory[index]?.push(value)
    }
    return {
      figures: [
        ...Object.entries(seconds).map(([subject, values]) => figure(subject, 'first answer', 's', values)),
        ...AFTER.flatMap((count, index) => {
          const subject = `after ${count.toLocaleString('en-US')} requests`
          const remains = memory[index] ?? []
          return [
            figure(
              subject,
              'resident memory',
              'MiB',
              remains.map(one => one.residentBytes / MIB)
            ),
            figure(
              subject,
              'live memory',
              'MiB',
              remains.map(one => one.liveBytes / MIB)
            )
          ]
        })
      ],
      outcomes: [judge(seconds, memory)],
      setting: [
        `From the start of the process to its first 200: on a PostgreSQL that runs (without fsync), where another application signs users in, and where the host does so itself, on an empty database; and on the embedded one (with fsync), new and again; ${rounds} rounds after one that warms up.`,
        'Memory of the host’s process after requests of a signed-in user for the list of threads, over 10 connections, each time after a collection of garbage.'
      ]
    }
  }
}

async function measureStarts({ newDatabase }: Context): Promise<[keyof Seconds, number][]> {
  const database = await newDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'bench-start-'))
  try {
    const signIn = existingEnvironment(database.connectionString)
    const embedded = { DATA_DIR: folder }
    return [
      // First: it makes the tables that the other finds.
      ['existing, with a sign-in', await timeOf(signIn)],
      ['existing', await timeOf({ ...signIn, BETTER_AUTH_MOUNT: '0' })],
      ['embedded, new', await timeOf(embedded)],
      ['embedded, again', await timeOf(embedded)]
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
    await database.close()
  }
}

async function timeOf(environment: Record<string, string>): Promise<number> {
  const host = await startHostProcess(environment)
  await host.close()
  return host.firstAnswerMs / 1000
}

/** What a host has in memory after each of {@link AFTER}. */
async function measureMemory({ newDatabase, say }: Context): Promise<Remains[]> {
  const database = await newDatabase()
  const loader = startLoader()
  let host: HostProcess | null = null
  try {
    host = await startHostProcess(existingEnvironment(database.connectionString))
    await loader.aim({ port: host.port, exchanges: [await signedInExchange(host.port)] })
    const memory: Remains[] = []
    let done = 0
    for (const count of AFTER) {
      await loader.counted({ count: count - done, connections: 10 })
      done = count
      memory.push(await host.remains())
    }
    say(`memory: ${memory.map(({ residentBytes }) => numberOf(residentBytes / MIB)).join(', ')} MiB`)
    return memory
  } finally {
    await host?.close()
    await loader.close()
    await database.close()
  }
}

async function signedInExchange(port: number): Promise<Exchange> {
  const url = `http://127.0.0.1:${port}`
  const reply = await fetch(`${url}${SIGN_IN_PATH}/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ name: 'Ada', email: 'ada@example.com', password: 'correct horse battery' })
  })
  const { token } = (await reply.json()) as { token: string }
  return {
    request: post(CHAT_PATH, { authorization: `Bearer ${token}` }, { type: 'threads.list', params: {} }),
    body: JSON.stringify({ data: [], has_more: false })
  }
}

function existingEnvironment(connectionString: string): Record<string, string> {
  return {
    DATABASE_URL: connectionString,
    BETTER_AUTH_SECRET: 'a-secret-for-benches-that-protects-nothing',
    BETTER_AUTH_MOUNT: '1'
  }
}

function figure(subject: string, measure: string, unit: string, values: readonly number[]): Figure {
  return { subject, measure, unit, better: 'less', ...spreadOf(values) }
}

function judge(seconds: Seconds, memory: readonly Remains[][]): Outcome {
  const worst = (...names: (keyof Seconds)[]) => Math.max(...names.map(name => spreadOf(seconds[name]).median))
  const [existing, embedded] = [worst('existing'), worst('embedded, new', 'embedded, again')]
  // Between the last two: the first thousand requests compile what the others run.
  const growth = (take: (remains: Remains) => number) => {
    const [before = Number.NaN, after = Number.NaN] = memory.slice(-2).map(taken => spreadOf(taken.map(take)).median)
    return after / before
  }
  const [resident, live] = [growth(one => one.residentBytes), growth(one => one.liveBytes)]
  return {
    target: 'P9',
    met: existing <= 1 && embedded <= 4 && resident <= FLAT && live <= FLAT,
    said: `${numberOf(existing)} s on an existing PostgreSQL, ${numberOf(embedded)} s on the embedded one; 10,000 requests later resident memory is ${numberOf(resident)} × what it was, live memory ${numberOf(live)} ×.`
  }
}
