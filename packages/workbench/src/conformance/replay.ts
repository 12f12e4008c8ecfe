import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { Bindings, differences } from './compare.ts'
import { exchange, framingProblems, type Reply } from './exchange.ts'
import { type Answer, bodyOf, pick, type Scenario, type ScenarioStep, UnsetVariable } from './scenario.ts'

/** How a scenario went. */
export type Outcome = {
  name: string
  /** What was neither as recorded nor better. */
  problems: string[]
  /** Ids of the deviations by which answers were better than recorded, with the step: `DV-1 at 2`. */
  deviated: string[]
  /** Steps that could not be taken, as an answer before them was a better one. */
  skipped: number[]
}

export type ReplayOptions = {
  /** Sent with every request, `$user` standing for the acting user. @default { "x-user": "$user" } */
  headers?: Record<string, string>
  /** Whether a better answer than the recorded one will do, where the recording allows it. @default true */
  deviations?: boolean
}

/** Deviations that may be answered with a refusal. */
const refusable = new Set(['DV-1', 'DV-2', 'DV-8', 'DV-9', 'DV-13', 'DV-14', 'DV-15'])

/**
 * Replays one recorded conversation against a ChatKit server.
 *
 * @param url of its one endpoint; nothing else of the server is used.
 */
export async function replay(scenario: Scenario, url: string, options: ReplayOptions = {}): Promise<Outcome> {
  const { headers = { 'x-user': '$user' }, deviations = true } = options
  const run = randomBytes(5).toString('hex')
  const variables = new Map<string, string>()
  const outcome: Outcome = { name: scenario.name, problems: [], deviated: [], skipped: [] }
  let bindings = new Bindings()

  for (const [index, step] of scenario.steps.entries()) {
    const number = index + 1
    let body: string
    try {
      body = bodyOf(step, variables)
    } catch (error) {
      if (!(error instanceof UnsetVariable)) throw error
      if (deviations && outcome.deviated.length > 0) outcome.skipped.push(number)
      else outcome.problems.push(`Step ${number}: {{${error.message}}} was never saved`)
      continue
    }
    const user = `rec-${run}-${step.user ?? 'a'}`
    const sent = Object.fromEntries(
      Object.entries(headers).map(([key, value]) => [key, value.replaceAll('$user', user)])
    )
    const reply = await exchange(url, sent, body, step.abortAfterEvents)
    if (step.waitMs) await wait(step.waitMs)

    const trial = new Bindings(bindings)
    const problems = mismatches(step.expect, reply, trial)
    if (problems.length === 0) bindings = trial
    else {
      const better = deviations && step.deviation !== undefined ? improved(step, reply, bindings) : null
      if (better) {
        bindings = better
        outcome.deviated.push(`${step.deviation} at ${number}`)
      } else outcome.problems.push(...problems.slice(0, 8).map(problem => `Step ${number}: ${problem}`))
    }
    for (const [name, path] of Object.entries(step.save ?? {})) {
      const value = pick(reply, path)
      if (typeof value === 'string') variables.set(name, value)
    }
  }
  return outcome
}

function mismatches(want: Answer, reply: Reply, bindings: Bindings): string[] {
  const status = want.status === '4xx' ? reply.status >= 400 && reply.status < 500 : reply.status === want.status
  if (!status) return [`status ${want.status}, not ${reply.status} ${reply.raw.slice(0, 200)}`]
  const type = mediaType(want.contentType ?? reply.contentType)
  if (type !== mediaType(reply.contentType)) return [`content type ${type}, not ${reply.contentType}`]
  if (Boolean(want.broken) !== Boolean(reply.broken))
    return [reply.broken ? 'the answer was cut off' : 'an answer that is cut off, not one that ends']
  return [
    ...(want.events ? differences(want.events, reply.events, bindings, 'events') : []),
    ...('json' in want ? differences(want.json, reply.json, bindings, 'json') : []),
    ...(want.bytes === undefined ? [] : framingProblems(reply))
  ]
}

/** The bindings after an answer that is better than the recorded one; `null` when it is only different. */
function improved(step: ScenarioStep, reply: Reply, bindings: Bindings): Bindings | null {
  const { expect, deviation = '', alternatives = [] } = step
  const refused = reply.status >= 400 && reply.status < 500
  if (refused && (expect.status >= 500 || expect.broken || refusable.has(deviation))) return bindings
  if (expect.broken && reply.status === 200 && !reply.broken && endsInError(reply)) return bindings
  for (const alternative of alternatives) {
    const trial = new Bindings(bindings)
    if (mismatches(alternative, reply, trial).length === 0) return trial
  }
  return null
}

function endsInError({ events = [] }: Reply): boolean {
  return pick(events, '[-1].type') === 'error'
}

function mediaType(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase()
}
