import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from './machine.ts'
import type { Spread } from './statistics.ts'
import type { TargetId } from './targets.ts'

/** One measured thing: several rounds of it. */
export interface Figure extends Spread {
  /** What was measured, such as `fresh-hs256`: a row of the table. */
  subject: string
  /** In which respect, such as `CPU ÷ bare`: a column of the table. */
  measure: string
  unit: string
  better: 'less' | 'more'
}

/** How a target came out. */
export interface Outcome {
  target: TargetId
  /** `null`: not all of it was measured in this run. */
  met: boolean | null
  /** In words and figures. */
  said: string
}

/** What a bench found. */
export interface Findings {
  figures: Figure[]
  outcomes: Outcome[]
  /** What was done, in sentences: how much, how often, with what rows. */
  setting: string[]
  /** Whatever else is worth keeping, such as query plans. */
  details?: Record<string, unknown>
}

/** A run of one bench, as it is kept. */
export interface Result extends Findings {
  bench: string
  title: string
  /** When it was begun, ISO 8601. */
  at: string
  commit: string
  mode: 'quick' | 'full'
  /** What to type for another run of it. */
  command: string
  machine: Machine
  /** Processes that wanted a core in the minute before: what others asked of the machine. */
  load: number
  versions: Record<string, string>
}

/** Keeps a result as `<bench>-<date>-<commit>.json`. @returns the path */
export function saveResult(folder: string, result: Result): string {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${result.bench}-${result.at.slice(0, 10)}-${result.commit}.json`)
  // All of it or nothing, should the run be interrupted.
  writeFileSync(`${path}.tmp`, `${JSON.stringify(result, null, 2)}\n`)
  renameSync(`${path}.tmp`, path)
  return path
}

export function readResult(path: string): Result {
  return JSON.parse(readFileSync(path, 'utf8')) as Result
}

/** The newest result of each bench in a folder, by name of the bench. */
export function newestResults(folder: string): Map<string, Result> {
  const newest = new Map<string, Result>()
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.json')) continue
    const result = readResult(join(folder, name))
    const known = newest.get(result.bench)
    if (known === undefined || known.at < result.at) newest.set(result.bench, result)
  }
  return newest
}
