import { createHash } from 'node:crypto'
import type { Claims } from '../types.ts'
import type { IdentityRecord, IdentityStore } from './identity-store.ts'
import type { Queryable, Statement } from './queryable.ts'
import { type IdentityRow, toIdentityRecord } from './row.ts'
import { discoverTables, quote, type Table } from './tables.ts'

export interface PostgresIdentityStoreOptions {
  /** Gives up on a lookup after this many milliseconds. @default 5000 */
  timeoutMs?: number
}

/** One statement for each way of naming an identity, and the type its parameter must fit. */
interface Statements {
  byToken: Prepared
  bySubject: Prepared
  bySession: Prepared
  byEmail: Prepared
}

interface Prepared {
  name: string
  text: string
  /** `pg_type.typname` of the columns compared with $1, $2. */
  types: readonly string[]
}

/**
 * Users and sessions in Better Auth's own Postgres tables: one query a lookup, prepared on the server, read-only.
 * Expiry and bans are judged by the database's clock, as epoch seconds: right for `timestamp` and `timestamptz` columns
 * under every time zone setting.
 */
export function postgresIdentityStore(
  database: Queryable,
  { timeoutMs = 5000 }: PostgresIdentityStoreOptions = {}
): IdentityStore {
  let statements: Promise<Statements> | null = null

  return {
    async find(claims) {
      statements ??= discoverTables(database).then(prepare)
      try {
        const chosen = choose(await statements, claims)
        if (chosen === null) return null
        const [statement, ...values] = chosen
        if (!values.every((value, index) => fits(value, statement.types[index]))) return null
        return await run(statement, values)
      } catch (error) {
        // The tables may have changed, or were not there yet: look again next time.
        statements = null
        throw error
      }
    }
  }

  async function run({ name, text }: Prepared, values: string[]): Promise<IdentityRecord | null> {
    const statement: Statement = { name, text, values, query_timeout: timeoutMs }
    const { rows } = await database.query(statement)
    const row = rows[0] as IdentityRow | undefined
    return row === undefined ? null : toIdentityRecord(row)
  }
}

function choose(statements: Statements, claims: Claims): [Prepared, ...string[]] | null {
  if (claims.by === 'session-token') return [statements.byToken, claims.sessionToken]
  if (claims.by === 'email') return [statements.byEmail, claims.email]
  if (claims.by !== 'subject') return null
  if (claims.sessionId !== null) return [statements.bySession, claims.subject, claims.sessionId]
  return [statements.bySubject, claims.subject]
}

/** Whether the column could hold this value at all; Postgres would answer an error for a letter in an integer, or a NUL in a text. */
function fits(value: string, type: string | undefined): boolean {
  if (type === 'uuid') return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
  if (type === 'int4') return /^(0|[1-9]\d{0,9})$/.test(value) && Number(value) <= 2 ** 31 - 1
  if (type === 'int8') return /^(0|[1-9]\d{0,17})$/.test(value)
  return !value.includes('\0')
}

function prepare({ user, session }: { user: Table; session: Table }): Statements {
  const u = columnsOf(user, 'u')
  const s = columnsOf(session, 's')
  const live = `extract(epoch from ${s.column('expiresAt')}) >= extract(epoch from now())`
  const userColumns = `
    ${u.column('id')}::text as user_id, ${u.column('email')} as email, ${u.text('name')} as name,
    ${u.or('emailVerified', 'null::boolean')} as email_verified, ${u.text('image')} as image, ${u.text('role')} as role,
    ${banned(u)} as banned`
  const sessionColumns = `
    ${s.column('id')}::text as session_id, ${s.column('userId')}::text as session_user_id,
    ${s.epoch('expiresAt')} as expires_at, ${s.epoch('createdAt')} as created_at,
    ${s.text('impersonatedBy')} as impersonated_by, ${s.text('activeOrganizationId')} as active_organization_id`
  const from = `from ${tableName(user)} u`
  // The longest-lived session stands for the user when the credential names none.
  const bestSession = (condition: string) => `
    left join lateral (
      select ${sessionColumns}, (count(*) over ())::int as session_count
      from ${tableName(session)} s
      where ${s.column('userId')} = ${u.column('id')} and ${live} ${condition}
      order by ${s.column('expiresAt')} desc, ${s.column('id')} limit 1
    ) s on true`
  const pickSession =
    's.session_id, s.session_user_id, s.expires_at, s.created_at, s.impersonated_by, s.active_organization_id, coalesce(s.session_count, 0) as session_count'
  const [userId, sessionId] = [u.type('id'), s.type('id')]

  return {
    // An orphan session (its user deleted) joins nothing and is no identity.
    byToken: named(
      [s.type('token')],
      [
        `select ${userColumns}, s.session_id, s.session_user_id, s.expires_at, s.created_at, s.impersonated_by, s.active_organization_id,`,
        '(s.session_id is not null)::int as session_count',
        `from (select ${s.column('userId')} as owner, ${live} as live, ${sessionColumns} from ${tableName(session)} s where ${s.column('token')} = $1) found`,
        `join ${tableName(user)} u on ${u.column('id')} = found.owner`,
        'left join lateral (select found.* where found.live) s on true'
      ]
    ),
    bySubject: named(
      [userId],
      [`select ${userColumns}, ${pickSession}`, from, bestSession(''), `where ${u.column('id')} = $1`]
    ),
    bySession: named(
      [userId, sessionId],
      [
        `select ${userColumns}, ${pickSession}`,
        from,
        bestSession(`and ${s.column('id')} = $2`),
        `where ${u.column('id')} = $1`
      ]
    ),
    byEmail: named(
      ['text'],
      [`select ${userColumns}, ${pickSession}`, from, bestSession(''), `where ${u.column('email')} = $1`]
    )
  }
}

/** `banned` is NULL for rows older than the admin plugin, and absent without it; a ban without an end lasts. */
function banned(u: ReturnType<typeof columnsOf>): string {
  if (!u.has('banned')) return 'false'
  if (!u.has('banExpires')) return `(${u.column('banned')} is true)`
  const end = u.column('banExpires')
  return `(${u.column('banned')} is true and (${end} is null or extract(epoch from ${end}) > extract(epoch from now())))`
}

function columnsOf(table: Table, alias: string) {
  const find = (field: string) => table.columns.get(field)
  const column = (field: string) => `${alias}.${quote(find(field)?.name ?? field)}`
  return {
    column,
    has: (field: string) => find(field) !== undefined,
    type: (field: string) => find(field)?.type ?? 'text',
    or: (field: string, otherwise: string) => (find(field) ? column(field) : otherwise),
    text: (field: string) => (find(field) ? `${column(field)}::text` : 'null::text'),
    epoch: (field: string) => (find(field) ? `extract(epoch from ${column(field)})::float8` : 'null::float8')
  }
}

function tableName({ schema, name }: Table): string {
  return `${quote(schema)}.${quote(name)}`
}

function named(types: readonly string[], lines: readonly string[]): Prepared {
  const text = lines.join('\n')
  // Names are per connection and must never stand for two texts.
  return { name: `bau_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`, text, types }
}
