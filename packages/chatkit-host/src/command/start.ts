import closeWithGrace from 'close-with-grace'
import { readConfig } from '../config.ts'
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
