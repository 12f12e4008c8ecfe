import type { Exchange, Loader } from './process/load.ts'
import type { MeasuredServer } from './process/measured-server.ts'
import type { Figure } from './result.ts'
import { ratiosOf, spreadOf } from './statistics.ts'

/** One of several servers that are measured in turn. */
export interface Variant {
  name: string
  server: MeasuredServer
  exchanges: readonly Exchange[]
}

export interface RoundsOptions {
  loader: Loader
  variants: readonly Variant[]
  rounds: number
  connections: number
  /** About how long one variant is under load in one round. */
  secondsEach: number
  say(line: string): void
}

/** What one round found of one variant. */
export interface Sample {
  cpuMicroseconds: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  rssBytes: number
  loopDelayP99Ms: number
}

/** The rounds of each variant, by its name. */
export type Samples = Map<string, Sample[]>

/** Requests by which a server that had nothing to do finds its connections and its pace again; they are not counted. */
const RUN_UP = { most: 200, seconds: 0.05 }
/** Fewer say nothing. */
const LEAST = 100
/** Until what is run often is compiled. */
const WARM_UP_SECONDS = 0.8

/**
 * Measures the variants one after the other, round by round: what the machine does besides disturbs neighbours alike. So
 * many short rounds say more than few long ones. A variant does the same number of requests in each of its rounds.
 */
export async function measureRounds(options: RoundsOptions): Promise<Samples> {
  const { loader, variants, rounds, connections, secondsEach, say } = options
  const samples: Samples = new Map(variants.map(({ name }) => [name, []]))
  const paces = new Map<string, number>()
  for (const { name, server, exchanges } of variants) {
    await loader.aim({ port: server.port, exchanges })
    paces.set(name, await warmUp(loader, connections))
  }
  say('warmed up')
  for (let round = 1; round <= rounds; round++) {
    // There and back, so that nobody always follows the same neighbour.
    for (const { name, server, exchanges } of round % 2 === 0 ? variants : variants.toReversed()) {
      const pace = paces.get(name) ?? 0
      const count = Math.max(LEAST, Math.round(pace * secondsEach))
      await loader.aim({ port: server.port, exchanges })
      await loader.counted({
        count: Math.ceil(Math.min(RUN_UP.most, connections + pace * RUN_UP.seconds)),
        connections
      })
      await server.begin()
      const { seconds, p50Ms, p99Ms } = await loader.counted({ count, connections })
      const { cpuMicroseconds, rssBytes, loopDelayP99Ms } = await server.end()
      samples.get(name)?.push({
        cpuMicroseconds: cpuMicroseconds / count,
        perSecond: count / seconds,
        p50Ms,
        p99Ms,
        rssBytes,
        loopDelayP99Ms
      })
    }
    if (round % 5 === 0 || round === rounds) say(`round ${round} of ${rounds}`)
  }
  return samples
}

/** @returns requests a second, once warm. */
async function warmUp(loader: Loader, connections: number): Promise<number> {
  const started = performance.now()
  for (;;) {
    const { seconds, count } = await loader.counted({ count: RUN_UP.most, connections })
    if (performance.now() - started > WARM_UP_SECONDS * 1000) return count / seconds
  }
}

/** The same respect of each variant, as figures. */
export function figuresOf(
  samples: Samples,
  what: Pick<Figure, 'measure' | 'unit' | 'better'>,
  take: (sample: Sample) => number
): Figure[] {
  return [...samples].map(([subject, taken]) => ({ subject, ...what, ...spreadOf(taken.map(take)) }))
}

/** Each variant's rounds over those of one of them. */
export function ratioFigures(
  samples: Samples,
  base: string,
  what: Pick<Figure, 'measure' | 'better'>,
  take: (sample: Sample) => number
): Figure[] {
  const below = samples.get(base)?.map(take)
  if (below === undefined) return []
  return [...samples].map(([subject, taken]) => ({
    subject,
    ...what,
    unit: '',
    ...spreadOf(ratiosOf(taken.map(take), below))
  }))
}
