// pnpm bench:page – docs/performance.md from the newest results
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Refusal } from '../command.ts'
import { benches } from './benches.ts'
import { root } from './machine.ts'
import { newestResults, type Outcome, type Result } from './result.ts'
import { numberOf, spreadText, tableOf } from './table.ts'
import { type TargetId, targets } from './targets.ts'

export const PAGE = join(root, 'docs', 'performance.md')
const RESULTS = join(root, 'bench', 'results')
/** What stands in the way of a target, a file each: `P2.md`. */
const LIMITS = join(root, 'bench', 'limits')

/** Writes the page. @throws Refusal when there is nothing to write of. */
export const page: Command = async (_args, io) => {
  const text = committedPage()
  if (text === null) throw new Refusal('There are no results yet: pnpm bench')
  writeFileSync(PAGE, text)
  io.print(`Wrote docs/performance.md`)
}

/** The page as the results and limits in the checkout make it; `null` without results. */
export function committedPage(): string | null {
  if (!existsSync(RESULTS)) return null
  const results = newestResults(RESULTS)
  const ordered = Object.keys(benches).flatMap(name => results.get(name) ?? [])
  return ordered.length === 0 ? null : pageOf(ordered, readLimits())
}

function readLimits(): Map<string, string> {
  const names = existsSync(LIMITS) ? readdirSync(LIMITS).filter(name => name.endsWith('.md')) : []
  return new Map(names.map(name => [name.slice(0, -3), readFileSync(join(LIMITS, name), 'utf8').trim()]))
}

/**
 * @param results one of each bench, in the order of the page.
 * @param limits what is known about a target that was missed, by its name.
 */
export function pageOf(results: readonly Result[], limits: ReadonlyMap<string, string>): string {
  return `${[
    '# Performance',
    '<!-- Written by `pnpm bench:page` from bench/results and bench/limits: change those. -->',
    INTRODUCTION,
    ...targetSection(results, limits),
    ...results.flatMap(benchSection)
  ].join('\n\n')}\n`
}

const INTRODUCTION = `Rates depend on the machine, and on who else is using it; ratios taken in the same rounds much less. So the figure to
trust is the CPU time of the server's own process for one request, as a multiple of what a bare Fastify route takes.
Variants are measured one after the other, round by round; each figure is the median of the rounds, with the lowest and
the highest in parentheses. No test asserts on time.

\`pnpm bench\` repeats all of it in short, \`pnpm bench --full\` as here; \`pnpm bench:compare A.json B.json\` says what changed.`

function targetSection(results: readonly Result[], limits: ReadonlyMap<string, string>): string[] {
  const outcomes = results.flatMap(result => result.outcomes.map(outcome => ({ ...outcome, bench: result.bench })))
  const rows = (Object.keys(targets) as TargetId[]).flatMap(id => {
    const found = outcomes.filter(({ target }) => target === id)
    return found.map(outcome => [
      id,
      targets[id],
      verdict(outcome),
      `${outcome.said} [${outcome.bench}](#${outcome.bench})`
    ])
  })
  const missed = outcomes.filter(({ met, target }) => met !== true && limits.has(target))
  const notes = [...new Set(missed.map(({ target }) => target))].flatMap(id => [
    `### What stands in the way of ${id}`,
    limits.get(id) ?? ''
  ])
  return ['## Targets', table(['', 'target', '', 'measured'], rows), ...notes]
}

function verdict({ met }: Outcome): string {
  return met === null ? 'not measured' : met ? '**met**' : '**missed**'
}

function benchSection({
  bench,
  title,
  setting,
  figures,
  command,
  at,
  commit,
  mode,
  machine,
  load,
  versions
}: Result): string[] {
  const { columns, rows } = tableOf(figures)
  const cells = rows.map(row => [row.subject, ...row.cells.map(cell => (cell === null ? '' : spreadText(cell)))])
  const { cpu, cores, memoryGiB, system } = machine
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [
    `## ${bench}`,
    `${title}.`,
    setting.join(' '),
    table(['', ...columns], cells),
    `Repeat it: \`${command}\`. Taken on ${at.slice(0, 10)} at commit ${commit}, ${mode}; ${cores} cores of ${cpu}, ${memoryGiB} GiB, ${system}, which ${wanted(load, cores)}; ${used.join(', ')}.`
  ]
}

/** What else was going on. */
function wanted(load: number, cores: number): string {
  if (load <= cores / 4) return 'had nothing else to do'
  return `others used as well (a load of ${numberOf(load)} before it began)`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  // What is counted stands at the right.
  const rule = head.map((name, column) => (column === 0 || name === '' || /target|measured/.test(name) ? '---' : '--:'))
  return [line(head), `|${rule.join('|')}|`, ...rows.map(line)].join('\n')
}
