import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { checkTables } from './check-options.ts'
import { messageOf } from './errors.ts'
import { connectTo } from './identity/listening-connection.ts'
import { type RevocationMigrations, revocationMigrations } from './identity/revocation-triggers.ts'
import type { TablesOptions } from './identity/tables.ts'

const HELP = `fastify-better-auth-user: what Better Auth's database needs for cached mode

Usage: fastify-better-auth-user revocations <up|down|status|sql> [options]

  up       install the triggers that tell running services whose rows change
  down     remove them
  status   say how each table stands; ends with 1 while something is missing
  sql      print the statements of \`up\`, or with --down those of \`down\`, to run as one transaction

  --schema NAME    schema of Better Auth's tables
  --tables JSON    their names, as in the plugin's option of that name: '{"user":{"modelName":"members"}}'
  --no-sessions    the user table alone, where sessions are kept in secondary storage
  --down           see sql
  --help           print this
  --version        print the version

Environment:

  DATABASE_URL     connects as the owner of the tables: postgres://user:password@host:5432/name

Ends with 0 when all is well, 1 when something failed or is missing, 2 when it was not understood.`

const CONNECT_MS = 10_000

/** A command that was not understood. */
class UsageError extends Error {}

/**
 * The command line.
 *
 * @returns the exit code.
 */
export async function runCommand(
  args: string[],
  print: (text: string) => void = text => process.stdout.write(`${text}\n`),
  complain: (text: string) => void = text => process.stderr.write(`${text}\n`)
): Promise<number> {
  try {
    const { values, positionals } = parse(args)
    if (values.help) print(HELP)
    else if (values.version) print(version())
    else return await revocations(positionals, values, print)
    return 0
  } catch (error) {
    complain(messageOf(error))
    return error instanceof UsageError ? 2 : 1
  }
}

type Values = ReturnType<typeof parse>['values']

async function revocations(words: string[], values: Values, print: (text: string) => void): Promise<number> {
  const command = words.length === 2 && words[0] === 'revocations' ? COMMANDS[words[1] ?? ''] : undefined
  if (command === undefined) throw unknown(words.join(' ') || 'nothing')
  const tables = tablesIn(values)
  const url = process.env.DATABASE_URL
  if (!url) throw new UsageError('DATABASE_URL is not set: give it the address of the database, postgres://…')
  const client = await connect(url)
  try {
    return await command(revocationMigrations(client, tables, { sessions: !values['no-sessions'] }), print, values)
  } finally {
    await client.end?.()
  }
}

const COMMANDS: Record<
  string,
  (migrations: RevocationMigrations, print: (text: string) => void, values: Values) => Promise<number>
> = {
  async up(migrations, print) {
    const tables = await migrations.up()
    print(tables.length === 0 ? 'Nothing to do: the triggers are there.' : `Triggers made on ${tables.join(', ')}.`)
    return 0
  },
  async down(migrations, print) {
    const tables = await migrations.down()
    print(tables.length === 0 ? 'Nothing to do: there are no triggers.' : `Triggers removed from ${tables.join(', ')}.`)
    return 0
  },
  async status(migrations, print) {
    const tables = await migrations.status()
    for (const { table, problem } of tables) print(problem ?? `Changes in ${table} are told.`)
    return tables.every(({ installed }) => installed) ? 0 : 1
  },
  async sql(migrations, print, { down }) {
    const sql = await migrations.sql()
    print(down ? sql.down : sql.up)
    return 0
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        schema: { type: 'string' },
        tables: { type: 'string' },
        'no-sessions': { type: 'boolean', default: false },
        down: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', short: 'v', default: false }
      }
    })
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error })
  }
}

function tablesIn({ schema, tables }: Values): TablesOptions {
  let named: unknown = {}
  try {
    if (tables !== undefined) named = JSON.parse(tables)
  } catch (error) {
    throw new UsageError(`--tables is not JSON: ${messageOf(error)}`, { cause: error })
  }
  if (typeof named !== 'object' || named === null) throw new UsageError('--tables is not an object')
  try {
    return checkTables({ ...named, ...(schema !== undefined && { schema }) })
  } catch (error) {
    throw new UsageError(`--tables: ${messageOf(error)}`, { cause: error })
  }
}

async function connect(url: string) {
  try {
    return await connectTo(url, CONNECT_MS)
  } catch (error) {
    throw new Error(`The database could not be asked (${messageOf(error)}): correct DATABASE_URL, or start it.`, {
      cause: error
    })
  }
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

function unknown(argument: string): UsageError {
  return new UsageError(
    `fastify-better-auth-user does not know "${argument.slice(0, 60)}": run fastify-better-auth-user --help to see what it does.`
  )
}
