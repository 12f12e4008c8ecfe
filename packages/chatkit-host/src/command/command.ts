import { parseArgs } from 'node:util'
import { StartError } from '../start-error.ts'

/** Where a command reads and writes. */
export interface Io {
  print: (line: string) => void
  environment: Record<string, string | undefined>
}

/** One command. @throws StartError with a sentence for whoever typed it. */
export type Command = (args: readonly string[], io: Io) => Promise<void>

/**
 * The options and the words of a command line.
 *
 * @param names options, each of which takes a value.
 * @param switches options that take none.
 * @throws StartError for an option the command does not have.
 */
export function readArgs<Name extends string, Switch extends string = never>(
  args: readonly string[],
  names: readonly Name[],
  usage: string,
  switches: readonly Switch[] = []
): { options: Partial<Record<Name, string>>; flags: ReadonlySet<Switch>; words: string[] } {
  try {
    const { values, positionals } = parseArgs({
      // npm and older versions of pnpm hand on the `--` between their arguments and ours.
      args: args.filter(arg => arg !== '--'),
      options: Object.fromEntries([
        ...names.map(name => [name, { type: 'string' }] as const),
        ...switches.map(name => [name, { type: 'boolean' }] as const)
      ]),
      allowPositionals: true
    })
    const flags = new Set(switches.filter(name => (values as Record<string, unknown>)[name] === true))
    return { options: values as Partial<Record<Name, string>>, flags, words: positionals }
  } catch (error) {
    throw new StartError(`${(error as Error).message.split('\n')[0]}\nUsage: ${usage}`)
  }
}
