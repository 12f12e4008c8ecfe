import type { Outcome } from './result.ts'
import type { Sample, Samples } from './rounds.ts'
import { quantile, ratiosOf } from './statistics.ts'
import { numberOf } from './table.ts'

/** How P1, P2 and P3 came out. */
export function judge(crowd: Samples, single: Samples): Outcome[] {
  return [judgeCached(crowd), judgeFresh(crowd, single), judgeOthers(crowd)]
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

function judgeOthers(crowd: Samples): Outcome {
  const pairs = [
    { ours: 'fresh-cookie', theirs: 'better-auth-cookie', least: 10, what: 'getSession, by the session cookie' },
    {
      ours: 'fresh-raw',
      theirs: 'better-auth-bearer-jwt',
      least: 10,
      what: 'getSession with bearer and jwt, by a session token'
    },
    { ours: 'fresh-hs256', theirs: 'seed-stack', least: 20, what: 'the Python stack, by HS256' }
  ]
  const found = pairs.flatMap(({ ours, theirs, least, what }) => {
    const [over, under] = [crowd.get(ours), crowd.get(theirs)]
    if (over === undefined || under === undefined) return []
    const times = quantile(
      ratiosOf(
        over.map(one => one.perSecond),
        under.map(one => one.perSecond)
      ),
      0.5
    )
    return [{ enough: times >= least, said: `${numberOf(times)} × ${what}` }]
  })
  return {
    target: 'P3',
    met: found.length < pairs.length ? null : found.every(({ enough }) => enough),
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
