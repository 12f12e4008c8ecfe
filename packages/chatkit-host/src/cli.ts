import type { Command } from './command/command.ts'
import { ConfigError } from './config.ts'
import { StartError } from './start-error.ts'
import { variables } from './variables.ts'
import { version } from './version.ts'

interface Entry {
  usage: string
  does: string
  load(): Promise<Command>
}

/** The list: an entry a command. Each is loaded when it is asked for, so that the others cost it nothing. */
const commands: Readonly<Record<string, Entry>> = {
  start: {
    usage: 'start',
    does: 'serve until a signal ends it (this is what no command does)',
    load: async () => (await import('./command/start.ts')).start
  },
  migrate: {
    usage: 'migrate',
    does: 'bring the tables up to date, and end',
    load: async () => (await import('./command/migrate.ts')).migrate
  },
  check: {
    usage: 'check [--url …]',
    does: 'ask the running host whether it is ready; exit code 0 or 1',
    load: async () => (await import('./command/check.ts')).check
  },
  doctor: {
    usage: 'doctor [--data-dir …]',
    does: 'look at all a host needs before it is started; say what is wrong, with cures',
    load: async () => (await import('./command/doctor.ts')).doctor
  },
  token: {
    usage: 'token [--user ada] [--ttl 15m]',
    does: 'print a token of somebody to try the host with; not in production',
    load: async () => (await import('./command/token.ts')).token
  }
}

/** The command line. Sets the exit code; a host that was started goes on until a signal ends it. */
export async function runCommand(args: readonly string[], print: (line: string) => void = console.log): Promise<void> {
  const [name = 'start', ...rest] = args
  try {
    if (rest.includes('--help') || ['--help', '-h', 'help'].includes(name)) return print(help())
    if (['--version', '-v'].includes(name)) return print(version)
    const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (entry === undefined) throw new StartError(unknown(name))
    const command = await entry.load()
    await command(rest, { print, environment: process.env })
  } catch (error) {
    process.exitCode = 1
    if (error instanceof ConfigError || error instanceof StartError) console.error(error.message)
    else console.error(error)
  }
}

/** What `--help` prints. */
export function help(): string {
  const settings = Object.entries(variables).flatMap(([name, { meaning, fallback }]) => [
    `  ${name}`,
    `      ${meaning}`,
    `      default: ${fallback}`
  ])
  const entries = Object.values(commands)
  const width = Math.max(...entries.map(({ usage }) => usage.length)) + 2
  return [
    'chatkit-host: a ChatKit server for Better Auth users',
    '',
    'Usage: chatkit-host [command]',
    '',
    ...entries.map(({ usage, does }) => `  ${usage.padEnd(width)}${does}`),
    `  ${'--help'.padEnd(width)}print this`,
    `  ${'--version'.padEnd(width)}print the version`,
    '',
    'It is configured by its environment:',
    '',
    ...settings,
    '',
    'A file of settings is read with: node --env-file=.env node_modules/chatkit-host/bin/chatkit-host.js'
  ].join('\n')
}

function unknown(argument: string): string {
  return `chatkit-host does not know "${argument.slice(0, 60)}": run chatkit-host --help to see what it does.`
}
