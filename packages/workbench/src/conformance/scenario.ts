import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What a step is answered with. */
export type Answer = {
  status: number | '4xx'
  contentType?: string
  events?: unknown[]
  json?: unknown
  bytes?: string
  /** The answer was cut off. */
  broken?: boolean
  /** We closed the connection. */
  aborted?: boolean
}

/** One request of a scenario, and its answer. */
export type ScenarioStep = {
  request?: unknown
  rawBody?: string
  user?: string
  save?: Record<string, string>
  abortAfterEvents?: number
  waitMs?: number
  expect: Answer & { status: number }
  /** The reference behaves badly here, and a better answer is allowed: which one, by its id. */
  deviation?: string
  alternatives?: Answer[]
}

/** One recorded conversation. */
export type Scenario = { name: string; about: string; rules?: string[]; steps: ScenarioStep[] }

/** The scenarios in a folder, or in one file. */
export function loadScenarios(path: string): Scenario[] {
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter(name => name.endsWith('.json'))
        .toSorted()
        .map(name => join(path, name))
    : [path]
  return files.map(file => JSON.parse(readFileSync(file, 'utf8')))
}

/** A variable a step before this one could not save. */
export class UnsetVariable extends Error {}

/** The body of a step's request, with what was saved put in. @throws UnsetVariable */
export function bodyOf(step: ScenarioStep, variables: ReadonlyMap<string, string>): string {
  return step.rawBody === undefined ? JSON.stringify(filled(step.request, variables)) : fill(step.rawBody, variables)
}

function filled(node: unknown, variables: ReadonlyMap<string, string>): unknown {
  if (typeof node === 'string') return fill(node, variables)
  if (Array.isArray(node)) return node.map(inner => filled(inner, variables))
  if (typeof node !== 'object' || node === null) return node
  if ('$json' in node && Object.keys(node).length === 1) return JSON.stringify(filled(node.$json, variables))
  return Object.fromEntries(Object.entries(node).map(([key, inner]) => [key, filled(inner, variables)]))
}

function fill(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = variables.get(name)
    if (value === undefined) throw new UnsetVariable(name)
    return value
  })
}

/** What a path such as `events[0].thread.id` or `json.data[-1].id` names; `undefined` when it names nothing. */
export function pick(value: unknown, path: string): unknown {
  let found: unknown = value
  for (const [, name, index] of path.matchAll(/([A-Za-z_]\w*)|\[(-?\d+)\]/g)) {
    if (index !== undefined) found = Array.isArray(found) ? found.at(Number(index)) : undefined
    else found = typeof found === 'object' && found !== null && name ? Reflect.get(found, name) : undefined
  }
  return found
}
