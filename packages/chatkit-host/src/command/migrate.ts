import { readConfig } from '../config.ts'
import { StartError } from '../start-error.ts'
import type { Command } from './command.ts'

/** Brings the tables up to date, and ends. */
export const migrate: Command = async (args, { print, environment }) => {
  if (args.length > 0) throw new StartError('Usage: chatkit-host migrate')
  const config = readConfig(environment)
  const { migrateOnly } = await import('../server.ts')
  await migrateOnly(config, print)
}
