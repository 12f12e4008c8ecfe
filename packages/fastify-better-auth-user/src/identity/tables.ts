import type { Queryable } from './queryable.ts'

/** Where one logical table really is. Names are as the catalog spells them, not yet quoted. */
export interface Table {
  schema: string
  name: string
  /** Logical field name → column, for the fields that exist. */
  columns: ReadonlyMap<string, Column>
}

export interface Column {
  name: string
  /** `pg_type.typname`: `text`, `int4`, `uuid`, `timestamptz` … */
  type: string
}

interface Wanted {
  what: string
  names: readonly string[]
  required: readonly string[]
  optional: readonly string[]
}

const USER: Wanted = {
  what: 'user',
  names: ['user', 'users'],
  required: ['id', 'email'],
  optional: ['name', 'emailVerified', 'image', 'role', 'banned', 'banExpires']
}

const SESSION: Wanted = {
  what: 'session',
  names: ['session', 'sessions'],
  required: ['id', 'token', 'userId', 'expiresAt'],
  optional: ['createdAt', 'impersonatedBy', 'activeOrganizationId']
}

/**
 * Reads from the catalog how this deployment spells Better Auth's tables: camelCase as Better Auth and Prisma write it,
 * snake_case as Drizzle does, or folded to lower case by a hand-written migration; singular or plural.
 *
 * @throws Error naming what is missing, when no table has the columns needed.
 */
export async function discoverTables(database: Queryable): Promise<{ user: Table; session: Table }> {
  const { rows } = await database.query({ text: CATALOG, values: [[...USER.names, ...SESSION.names].map(quote)] })
  const catalog = rows as { schema: string; table: string; column: string; type: string }[]
  return { user: pick(USER, catalog), session: pick(SESSION, catalog) }
}

// to_regclass follows the search path, so the tables are found where unqualified SQL would find them.
const CATALOG = `
  select n.nspname as schema, c.relname as table, a.attname as column, t.typname as type
  from unnest($1::text[]) as wanted(name)
  join pg_class c on c.oid = to_regclass(wanted.name)
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid`

function pick(wanted: Wanted, catalog: { schema: string; table: string; column: string; type: string }[]): Table {
  let closest: string | null = null
  for (const name of wanted.names) {
    const rows = catalog.filter(row => row.table === name)
    const [first] = rows
    if (first === undefined) continue
    const types = new Map(rows.map(row => [row.column, row.type]))
    const columns = new Map<string, Column>()
    for (const field of [...wanted.required, ...wanted.optional]) {
      const column = spellings(field).find(spelling => types.has(spelling))
      if (column !== undefined) columns.set(field, { name: column, type: types.get(column) ?? '' })
    }
    const missing = wanted.required.filter(field => !columns.has(field))
    if (missing.length === 0) return { schema: first.schema, name, columns }
    closest ??= `table ${first.schema}.${name} has no column ${missing.join(', ')}`
  }
  throw new Error(
    `Better Auth's ${wanted.what} table was not found: ${closest ?? `no table ${wanted.names.join(' or ')} on the search path`}. ` +
      "Run Better Auth's migrations on this database, or set its search_path."
  )
}

function spellings(field: string): string[] {
  return [field, field.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`), field.toLowerCase()]
}

/** An SQL identifier, safe for any name (`user` alone would mean the current role). */
export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}
