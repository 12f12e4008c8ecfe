// pnpm bench [name…] [--full] [--only fresh-hs256,bare] [--profile DIR] [--out DIR]
import { mkdirSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { createTestDatabase } from 'embedded-database/testing'
import { type Command, type Io, Refusal, readArgs } from '../command.ts'
import type { Context } from './bench.ts'
import { benches } from './benches.ts'
import { currentCommit, describeMachine, root, versionsOf } from './machine.ts'
import { type Result, saveResult } from './result.ts'
import { printedTable } from './table.ts'
import { targets } from './targets.ts'

/** Where results are kept. */
export const RESULTS = join(root, 'bench', 'results')

/** Measures, prints what was found beside the targets, and keeps it. */
export const bench: Command = async (args, io) => {
  const usage = 'pnpm bench [name…] [--full] [--only fresh-hs256,bare] [--profile DIR] [--out DIR]'
  const { options, words, flags } = readArgs(args, ['only', 'profile', 'out'], usage, ['full', 'quick'])
  const names = words.length > 0 ? words : Object.keys(benches)
  const unknown = names.find(name => !Object.hasOwn(benches, name))
  if (unknown !== undefined) {
    throw new Refusal(`There is no bench "${unknown}": choose of ${Object.keys(benches).join(', ')}\nUsage: ${usage}`)
  }
  if (flags.has('full') && flags.has('quick')) throw new Refusal(`--full or --quick, not both\nUsage: ${usage}`)
  const profile = options.profile === undefined ? null : resolve(options.profile)
  if (profile !== null) mkdirSync(profile, { recursive: true })
  const context: Context = {
    full: flags.has('full'),
    only: options.only?.split(',') ?? null,
    profile,
    newDatabase: () => openDatabase(io),
    say: line => io.print(`  ${line}`)
  }
  for (const name of names) {
    const result = await runOne(name, context, io)
    print(result, io)
    // Half a result would stand for a whole one on the page.
    const whole = context.only === null && profile === null
    if (whole || options.out !== undefined) io.print(`→ ${saveResult(options.out ?? RESULTS, result)}`)
  }
}

async function runOne(name: string, context: Context, io: Io): Promise<Result> {
  const open = benches[name]
  if (open === undefined) throw new TypeError(name)
  const { title, run } = await open()
  io.print(`${name}: ${title}`)
  const at = new Date().toISOString()
  const load = Math.round((loadavg()[0] ?? 0) * 10) / 10
  const database = await context.newDatabase()
  const versions = await versionsOf(database.connectionString)
  await database.close()
  const mode = context.full ? 'full' : 'quick'
  const command = `pnpm bench ${name}${context.full ? ' --full' : ''}`
  const about = { bench: name, title, at, commit: currentCommit(), mode, command } as const
  return { ...about, machine: describeMachine(), load, versions, ...(await run(context)) }
}

function print({ figures, outcomes }: Result, io: Io): void {
  io.print('')
  for (const line of printedTable(figures)) io.print(line)
  io.print('')
  for (const { target, met, said } of outcomes) {
    io.print(`${target} ${met === null ? '–' : met ? '✓' : '✗'} ${targets[target]}`)
    io.print(`     ${said}`)
  }
  io.print('')
}

/** On the server of DATABASE_URL, or on an embedded one that goes away with us. */
async function openDatabase({ environment }: Io) {
  const given = environment.DATABASE_URL
  if (given !== undefined) process.env.TEST_DATABASE_URL ??= given
  return createTestDatabase()
}
