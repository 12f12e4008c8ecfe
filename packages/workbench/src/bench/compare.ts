// pnpm bench:compare A.json B.json – what changed from one result to another
import { existsSync } from 'node:fs'
import { type Command, Refusal, readArgs } from '../command.ts'
import { type Figure, type Result, readResult } from './result.ts'
import { spreadText } from './table.ts'

/** One figure of two results. */
export interface Change {
  subject: string
  measure: string
  before: Figure
  after: Figure
  /** Of the medians: 0.1 is a tenth more. */
  change: number
  /** Within the spread nothing is said: rounds of the one lie among rounds of the other. */
  verdict: 'better' | 'worse' | 'within the spread'
}

/** The figures that both results have, in the order of the second. */
export function changesOf(before: Pick<Result, 'figures'>, after: Pick<Result, 'figures'>): Change[] {
  return after.figures.flatMap(figure => {
    const { subject, measure } = figure
    const old = before.figures.find(one => one.subject === subject && one.measure === measure)
    if (old === undefined) return []
    const change = old.median === 0 ? 0 : figure.median / old.median - 1
    return [{ subject, measure, before: old, after: figure, change, verdict: verdictOf(old, figure) }]
  })
}

function verdictOf(before: Figure, after: Figure): Change['verdict'] {
  if (before.min <= after.max && after.min <= before.max) return 'within the spread'
  return after.median < before.median === (after.better === 'less') ? 'better' : 'worse'
}

/** What makes two results hard to compare, in sentences. */
export function doubtsOf(before: Result, after: Result): string[] {
  const doubts: string[] = []
  if (before.bench !== after.bench) doubts.push(`They are of two benches: ${before.bench} and ${after.bench}.`)
  if (before.mode !== after.mode)
    doubts.push(`One is ${before.mode}, the other ${after.mode}: other rows, other counts.`)
  if (JSON.stringify(before.machine) !== JSON.stringify(after.machine)) {
    doubts.push('They were taken on different machines: look at the ratios only.')
  }
  for (const [name, version] of Object.entries(after.versions)) {
    const old = before.versions[name]
    if (old !== version) doubts.push(`${name} was ${old ?? 'absent'} and is ${version}.`)
  }
  return doubts
}

/** Prints each figure before and after, and marks those that moved by more than their rounds differ. */
export const compare: Command = async (args, io) => {
  const usage = 'pnpm bench:compare bench/results/A.json bench/results/B.json'
  const { words } = readArgs(args, [], usage)
  const [before, after] = words.map(open)
  if (before === undefined || after === undefined || words.length !== 2) throw new Refusal(`Usage: ${usage}`)
  for (const doubt of doubtsOf(before, after)) io.print(`! ${doubt}`)
  io.print(`${after.bench}: ${before.commit} → ${after.commit}`)
  for (const { subject, measure, before: old, after: now, change, verdict } of changesOf(before, after)) {
    const mark = { better: '✓', worse: '✗', 'within the spread': ' ' }[verdict]
    const percent = `${change >= 0 ? '+' : ''}${(change * 100).toFixed(1)} %`
    io.print(
      `${mark} ${subject}, ${measure}: ${spreadText(old)} → ${spreadText(now)} ${now.unit}  ${percent}  ${verdict}`
    )
  }
}

function open(path: string): Result {
  if (!existsSync(path)) throw new Refusal(`There is no ${path}`)
  try {
    return readResult(path)
  } catch {
    throw new Refusal(`${path} is no result of a bench`)
  }
}
