// pnpm run token, pnpm say …: `node packages/workbench/dist/run.js <command> [arguments]`
import { ConfigError, StartError } from 'chatkit-host'
import { type Command, Refusal } from './command.ts'

// The list: one line a command.
const commands: Record<string, () => Promise<Command>> = {
  bench: async () => (await import('./bench/run-bench.ts')).bench,
  'bench:compare': async () => (await import('./bench/compare.ts')).compare,
  'bench:page': async () => (await import('./bench/page.ts')).page,
  'db:reset': async () => (await import('./reset.ts')).reset,
  doctor: async () => (await import('./doctor.ts')).doctor,
  documents: async () => (await import('./documents.ts')).documents,
  new: async () => (await import('./new.ts')).makeNew,
  say: async () => (await import('./say.ts')).say,
  token: async () => (await import('./token.ts')).token,
  trace: async () => (await import('./trace.ts')).trace,
  why: async () => (await import('./why.ts')).why
}

const [name = '', ...args] = process.argv.slice(2)
const load = Object.hasOwn(commands, name) ? commands[name] : undefined
try {
  if (load === undefined) throw new Refusal(`There is no command "${name}": ${Object.keys(commands).join(', ')}`)
  const command = await load()
  await command(args, { print: console.log, environment: process.env })
} catch (error) {
  process.exitCode = 1
  const expected = error instanceof Refusal || error instanceof ConfigError || error instanceof StartError
  console.error(expected ? error.message : error)
}
