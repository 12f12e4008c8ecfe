import type { Outcome } from './result.ts'
import type { Sample, Samples } from './rounds.ts'
import { quantile, ratiosOf } from './statistics.ts'
import { numberOf } from './table.ts'

/** How P1, P2 and P3 came out. */
export function judge(crowd: Samples, single: Samples): Outcome[] {
  return [judgeCached(crowd), judgeFresh(crowd, single), judgeBetterAuth(crowd)]
}

function judgeCached(crowd: Samples): Outcome {
  const { worst, said } = worstRatio(crowd, 'cached-')
  return { target: 'P1', met: worst === null ? null : worst <= 1.25, said }
}

function judgeFresh(crowd: Samples, single: Samples): Outcome {
  const { worst, said } = worstRatio(crowd, 'fresh-')
  const bare = median(single, 'bare', one => one.p50Ms)
  const byHand = median(single, 'prepared-query', one => one.p50Ms)
  const fresh = [...single.keys()].filter(name => name.startsWith('fresh-'))
  const slowest = Math.max(...fresh.map(name => median(single, name, one => one.p50Ms) ?? Number.NaN))
  if (worst === null || bare === null || byHand === null) return { target: 'P2', met: null, said }
  const trips = (slowest - bare) / (byHand - bare)
  return {
    target: 'P2',
    met: worst <= 2 && trips <= 1.1,
    said: `${said}; a single caller waits ${numberOf(slowest - bare)} ms longer than for the bare route, ${numberOf(trips)} × what a prepared query by hand adds (${numberOf(byHand - bare)} ms).`
  }
}

function judgeBetterAuth(crowd: Samples): Outcome {
  const pairs = [
    ['fresh-cookie', 'better-auth-cookie', 'the session cookie'],
    ['fresh-raw', 'better-auth-bearer-jwt', 'a session token, with its plugins bearer and jwt']
  ] as const
  const found = pairs.flatMap(([ours, theirs, what]) => {
    const [over, under] = [crowd.get(ours), crowd.get(theirs)]
    if (over === undefined || under === undefined) return []
    const times = quantile(
      ratiosOf(
        over.map(one => one.perSecond),
        under.map(one => one.perSecond)
      ),
      0.5
    )
    return [{ times, said: `${numberOf(times)} × for ${what}` }]
  })
  return {
    target: 'P3',
    met: found.length < pairs.length ? null : found.every(({ times }) => times >= 10),
    said: found.length === 0 ? 'Not measured.' : `${found.map(({ said }) => said).join(', ')}.`
  }
}

function worstRatio(crowd: Samples, prefix: string): { worst: number | null; said: string } {
  const bare = crowd.get('bare')?.map(one => one.cpuMicroseconds)
  const names = [...crowd.keys()].filter(name => name.startsWith(prefix))
  if (bare === undefined || names.length === 0) return { worst: null, said: 'Not measured.' }
  const ratios = names.map(name => ({
    name: name.slice(prefix.length),
    ratio: quantile(ratiosOf(crowd.get(name)?.map(one => one.cpuMicroseconds) ?? [], bare), 0.5)
  }))
  return {
    worst: Math.max(...ratios.map(({ ratio }) => ratio)),
    said: `CPU ÷ bare: ${ratios.map(({ name, ratio }) => `${name} ${numberOf(ratio)}`).join(', ')}`
  }
}

function median(samples: Samples, name: string, take: (sample: Sample) => number): number | null {
  const taken = samples.get(name)
  return taken === undefined || taken.length === 0 ? null : quantile(taken.map(take), 0.5)
}
