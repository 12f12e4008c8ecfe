import { StartError } from '../start-error.ts'
import { type Command, readArgs } from './command.ts'
import { examine, tick } from './examine.ts'

const USAGE = 'chatkit-host doctor [--data-dir .data]'

/** Prints what it finds of all a host needs, with cures. @throws StartError when something is to be put right: exit code 1. */
export const doctor: Command = async (args, io) => {
  const { options, words } = readArgs(args, ['data-dir'], USAGE)
  if (words.length > 0) throw new StartError(`Usage: ${USAGE}`)
  const findings = await examine(options, io)
  for (const finding of findings) io.print(tick(finding))
  const bad = findings.filter(({ good }) => !good).length
  if (bad > 0) throw new StartError(`${bad} to put right.`)
}
