import closeWithGrace from 'close-with-grace'
import { ConfigError, readConfig } from './config.ts'
import { StartError } from './start-error.ts'
import { variables } from './variables.ts'
import { version } from './version.ts'

/** How long everything has to be closed once open answers were let end, in milliseconds. */
const GRACE_MS = 10_000

/** The command line. Sets the exit code; a host that was started goes on until a signal ends it. */
export async function runCommand(args: readonly string[], print: (line: string) => void = console.log): Promise<void> {
  const [command = 'start', ...rest] = args
  try {
    if (rest.length > 0) throw new StartError(unknown(rest.join(' ')))
    if (command === '--help' || command === '-h') print(help())
    else if (command === '--version' || command === '-v') print(version)
    else if (command === 'migrate') await migrate(print)
    else if (command === 'start') await start(print)
    else throw new StartError(unknown(command))
  } catch (error) {
    process.exitCode = 1
    if (error instanceof ConfigError || error instanceof StartError) console.error(error.message)
    else console.error(error)
  }
}

async function migrate(print: (line: string) => void): Promise<void> {
  const config = readConfig()
  const { migrateOnly } = await import('./server.ts')
  await migrateOnly(config, print)
}

async function start(print: (line: string) => void): Promise<void> {
  const config = readConfig()
  // Not before the environment is known to be right: a mistake is told at once.
  const { startHost } = await import('./server.ts')
  const starting = startHost(config, print)
  // From the first moment: a signal may come while the database is being made.
  const grace = closeWithGrace(
    { delay: config.drainTimeoutMs + GRACE_MS, logger: console },
    async ({ err, signal }) => {
      if (err) console.error(err)
      else if (signal) print(`${signal}: closing`)
      const host = await starting.catch(() => null)
      await host?.close()
    }
  )
  try {
    await starting
  } catch (error) {
    grace.uninstall()
    throw error
  }
}

/** What `--help` prints. */
export function help(): string {
  const width = Math.max(...Object.keys(variables).map(name => name.length)) + 2
  const settings = Object.entries(variables).flatMap(([name, { meaning, fallback }]) => [
    `  ${name.padEnd(width)}${meaning}`,
    `  ${''.padEnd(width)}default: ${fallback}`
  ])
  return [
    'chatkit-host: a ChatKit server for Better Auth users',
    '',
    'Usage: chatkit-host [command]',
    '',
    '  start       serve until a signal ends it (this is what no command does)',
    '  migrate     bring the tables up to date, and end',
    '  --help      print this',
    '  --version   print the version',
    '',
    'Environment:',
    '',
    ...settings
  ].join('\n')
}

function unknown(argument: string): string {
  return `chatkit-host does not know "${argument.slice(0, 60)}": run chatkit-host --help to see what it does.`
}
