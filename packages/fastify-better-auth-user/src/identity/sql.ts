import { createHash } from 'node:crypto'
import { quote, type Table } from './tables.ts'

/** A statement that answers at most one row, prepared on the server under a name of its own. */
export interface Prepared {
  name: string
  text: string
  /** The same for many: an array for each parameter; answers `ord`, the place in the arrays. `null`: one at a time only. */
  batchText: string | null
  /** `pg_type.typname` of the columns compared with $1, $2 … */
  types: readonly string[]
}

/** @param types of the columns the parameters are compared with. */
export function prepared(types: readonly string[], text: string): Prepared {
  // Names are per connection and must never stand for two texts; the one for many also depends on the types.
  const digest = createHash('sha256')
    .update([...types, text].join())
    .digest('hex')
  const name = `bau_${digest.slice(0, 16)}`
  return { name, text, batchText: types.every(type => PLAIN_TYPES.has(type)) ? inBatches(types, text) : null, types }
}

/** Types an array of which can be compared with a column of that type without losing its index. */
const PLAIN_TYPES = new Set(['text', 'varchar', 'int2', 'int4', 'int8', 'uuid'])

function inBatches(types: readonly string[], text: string): string {
  // In a `select` of its own the planner does not see how long an array is. Knowing it, it would plan every short batch
  // anew, which costs several times what the batch does, because the plan for unknown lengths reckons with ten keys.
  const arrays = types.map((type, index) => `(select $${index + 1}::${type}[])`).join(', ')
  const names = types.map((_, index) => `v${index + 1}`).join(', ')
  return `select (k.ord - 1)::int as ord, one.*
    from unnest(${arrays}) with ordinality as k(${names}, ord)
    cross join lateral (${text.replace(/\$(\d+)/g, 'k.v$1')} limit 1) one`
}

/** Whether a column of that type could hold the value at all; Postgres would answer an error for a letter in an integer. */
export function couldHold(type: string | undefined, value: string): boolean {
  if (type === 'uuid') return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
  if (type === 'int2') return /^(0|[1-9]\d{0,4})$/.test(value) && Number(value) <= 2 ** 15 - 1
  if (type === 'int4') return /^(0|[1-9]\d{0,9})$/.test(value) && Number(value) <= 2 ** 31 - 1
  if (type === 'int8') return /^(0|[1-9]\d{0,17})$/.test(value)
  return !value.includes('\0')
}

export function isInteger(type: string): boolean {
  return type === 'int2' || type === 'int4' || type === 'int8'
}

/**
 * SQL that compares an id column with a value of another row, by the column's index also where their types differ: owner
 * columns that no foreign key ties are text beside numbers and uuids. Text that could be no such id equals nothing.
 */
export function equals(column: string, type: string, value: string, valueType: string): string {
  if (type === valueType) return `${column} = ${value}`
  // A `case`, because Postgres may otherwise cast before it has looked.
  const guarded = (pattern: string, cast: string) =>
    `${column} = case when ${value}::text ~ '${pattern}' then ${value}::text::${cast} end`
  if (isInteger(type)) return guarded('^(0|[1-9][0-9]{0,17})$', 'int8')
  if (type === 'uuid') return guarded('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$', 'uuid')
  return `${column} = ${value}::text`
}

/** SQL for the columns of one table under an alias; a column that does not exist is a typed NULL. */
export function columnsOf(table: Table, alias: string) {
  const column = (field: string) => `${alias}.${quote(table.columns.get(field)?.name ?? field)}`
  const has = (field: string) => table.columns.has(field)
  const epoch = (field: string) => (has(field) ? epochOf(column(field)) : 'null::float8')
  return {
    column,
    has,
    type: (field: string) => table.columns.get(field)?.type ?? 'text',
    text: (field: string) => (has(field) ? `${column(field)}::text` : 'null::text'),
    boolean: (field: string) => (has(field) ? `${column(field)}::boolean` : 'null::boolean'),
    /** Seconds since the epoch: exact for `timestamp` (which holds UTC) and `timestamptz` under every time zone setting. */
    epoch,
    /** Whether that instant is still to come. Equal is, as Better Auth has it. */
    notPast: (field: string) =>
      table.columns.get(field)?.type === 'timestamptz' ? `${column(field)} >= now()` : `${epoch(field)} >= ${NOW}`
  }
}

// Not `extract`, which reckons in `numeric` and is several times as dear.
const epochOf = (instant: string) => `date_part('epoch', ${instant})`

export const NOW = epochOf('now()')

export function tableName({ schema, name }: Table): string {
  return `${quote(schema)}.${quote(name)}`
}
