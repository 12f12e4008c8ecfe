import type { Queryable } from './queryable.ts'
import { timely } from './time-limit.ts'

/** How one of Better Auth's tables is called here, in the words of Better Auth's own options. */
export interface TableNames {
  /** Name of the table. */
  modelName?: string | undefined
  /** Field, as Better Auth's documentation calls it → column, for those that are spelled in a way of their own. */
  fields?: Readonly<Record<string, string>> | undefined
}

/** Where Better Auth's tables are. What is left out is found by itself: camelCase, snake_case, singular, plural. */
export interface TablesOptions {
  /** Schema of all tables. @default wherever the connection's search path finds them */
  schema?: string | undefined
  user?: TableNames | undefined
  session?: TableNames | undefined
  jwks?: TableNames | undefined
  apikey?: TableNames | undefined
  oauthAccessToken?: TableNames | undefined
  oauthClient?: TableNames | undefined
  member?: TableNames | undefined
}

/** A table as it really is. Names are as the catalog spells them, not yet quoted. */
export interface Table {
  schema: string
  name: string
  /** Field → column, for the fields that exist. */
  columns: ReadonlyMap<string, Column>
}

export interface Column {
  name: string
  /** `pg_type.typname`: `text`, `int4`, `uuid`, `timestamptz` … */
  type: string
}

/** What a query needs of a table. */
export interface Wanted {
  /** Key of {@link TablesOptions}. */
  table: Exclude<keyof TablesOptions, 'schema'>
  /** Names it goes by, when the options name none. */
  names: readonly string[]
  required: readonly string[]
  optional: readonly string[]
}

/** The database was asked, and has no such table. */
export class MissingTable extends Error {}

interface CatalogRow {
  schema: string
  table: string
  column: string
  type: string
}

/**
 * Reads from the catalog where a table is and how this deployment spells its columns: camelCase as Better Auth and
 * Prisma write them, snake_case as Drizzle does, or folded to lower case by a hand-written migration.
 *
 * @throws MissingTable naming what is missing and the cure, when no table has the columns needed.
 */
export async function discoverTable(database: Queryable, wanted: Wanted, options: TablesOptions): Promise<Table> {
  const given = options[wanted.table]
  const names = given?.modelName === undefined ? wanted.names : [given.modelName]
  const prefix = options.schema === undefined ? '' : `${quote(options.schema)}.`
  const values = [names.map(name => prefix + quote(name))]
  const { rows } = await timely(database, TIMEOUT_MS).query({ text: CATALOG, values })
  const catalog = rows as CatalogRow[]

  let closest: string | null = null
  for (const name of names) {
    const found = catalog.filter(row => row.table === name)
    const [first] = found
    if (first === undefined) continue
    const { columns, missing } = match(found, wanted, given?.fields ?? {})
    if (missing.length === 0) return { schema: first.schema, name, columns }
    closest ??= `table ${first.schema}.${name} has no column for ${missing.join(', ')}`
  }
  const where = options.schema === undefined ? 'on the search path' : `in schema ${options.schema}`
  throw new MissingTable(
    `Better Auth's ${wanted.table} table was not found: ${closest ?? `no table ${names.join(' or ')} ${where}`}. ` +
      `Run Better Auth's migrations on this database, or name the table in \`tables.${wanted.table}\`.`
  )
}

const TIMEOUT_MS = 5000

// to_regclass follows the search path, so the tables are found where unqualified SQL would find them.
const CATALOG = `
  select n.nspname as schema, c.relname as table, a.attname as column, t.typname as type
  from unnest($1::text[]) as wanted(name)
  join pg_class c on c.oid = to_regclass(wanted.name)
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid`

function match(rows: CatalogRow[], { required, optional }: Wanted, given: Readonly<Record<string, string>>) {
  const types = new Map(rows.map(row => [row.column, row.type]))
  const columns = new Map<string, Column>()
  for (const field of [...required, ...optional]) {
    const name = (given[field] === undefined ? spellings(field) : [given[field]]).find(name => types.has(name))
    if (name !== undefined) columns.set(field, { name, type: types.get(name) ?? '' })
  }
  // A column that was named must be there, needed or not: a silent miss would hide a ban.
  const needed = [...required, ...optional.filter(field => given[field] !== undefined)]
  return { columns, missing: needed.filter(field => !columns.has(field)) }
}

function spellings(field: string): string[] {
  return [field, field.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`), field.toLowerCase()]
}

/** An SQL identifier, safe for any name (`user` alone would mean the current role). */
export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}
