import { hostname } from 'node:os'
import closeWithGrace from 'close-with-grace'
import { type Config, readConfig } from '../config.ts'
import { StartError } from '../start-error.ts'
import type { Command } from './command.ts'

/** How long everything has to be closed once open answers were let end, in milliseconds. */
const GRACE_MS = 10_000

/** Serves until a signal ends it. */
export const start: Command = async (args, { print, environment }) => {
  if (args.length > 0) throw new StartError('Usage: chatkit-host start')
  const config = readConfig(environment)
  // Not before the environment is known to be right: a mistake is told at once.
  const { startHost } = await import('../server.ts')
  const say = teller(config, print)
  const starting = startHost(config, say)
  // From the first moment: a signal may come while the database is being made.
  const grace = closeWithGrace(
    { delay: config.drainTimeoutMs + GRACE_MS, logger: console },
    async ({ err, signal }) => {
      if (err) console.error(err)
      else if (signal) say(`${signal}: closing`)
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

/** What is told of start and end, among the lines of the log: in production it is of their form, and obeys LOG_LEVEL. */
function teller({ production, logLevel }: Config, print: (line: string) => void): (line: string) => void {
  if (!production) return print
  if (!['info', 'debug', 'trace'].includes(logLevel)) return () => {}
  return msg => print(JSON.stringify({ level: 30, time: Date.now(), pid: process.pid, hostname: hostname(), msg }))
}
