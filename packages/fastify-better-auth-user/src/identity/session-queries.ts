import { columnsOf, NOW, type Prepared, prepared, tableName } from './sql.ts'
import { quote, type Table, type Wanted } from './tables.ts'

/** @param extra fields of the application's own, from the `userFields` option. */
export function wantedUser(extra: readonly string[]): Wanted {
  return {
    table: 'user',
    names: ['user', 'users'],
    required: ['id', 'email', ...extra],
    optional: ['name', 'emailVerified', 'image', 'role', 'banned', 'banExpires']
  }
}

export const WANTED_SESSION: Wanted = {
  table: 'session',
  names: ['session', 'sessions'],
  required: ['id', 'token', 'userId', 'expiresAt'],
  optional: ['createdAt', 'impersonatedBy', 'activeOrganizationId']
}

/** One statement for each way of naming an identity by user or session. All answer the columns of `IdentityRow`. */
export interface SessionQueries {
  byToken: Prepared
  bySubject: Prepared
  bySession: Prepared
  byEmail: Prepared
}

/** @param validity whether to tell how long the answer holds if nobody writes. */
export function sessionQueries(
  user: Table,
  session: Table,
  extra: readonly string[],
  validity = false
): SessionQueries {
  const u = columnsOf(user, 'u')
  const s = columnsOf(session, 's')
  const live = s.notPast('expiresAt')
  const from = `from ${tableName(user)} u`
  const columns = `${userColumns(user, extra)}, ${SESSION_ALIASES}${validity ? ', s.valid_for' : ''}`
  const validFor = (end: string) => (validity ? `, ${end} - ${NOW} as valid_for` : '')
  const sessionsWhere = (condition: string) =>
    `from ${tableName(session)} s where ${s.column('userId')} = ${u.column('id')} and ${live} ${condition}`
  // The longest-lived session stands for the user when the credential names none.
  const bestSession = `
    left join lateral (
      select ${sessionColumns(session)}, (count(*) over ())::int as session_count${validFor(`min(${s.epoch('expiresAt')}) over ()`)}
      from (select ${rawColumns(session)} ${sessionsWhere(ROW_BY_ROW)}) s
      order by ${s.column('expiresAt')} desc, ${s.column('id')} limit 1
    ) s on true`
  const namedSession = `
    left join lateral (
      select ${sessionColumns(session)}, 1 as session_count${validFor(s.epoch('expiresAt'))}
      ${sessionsWhere(`and ${s.column('id')} = $2 limit 1`)}
    ) s on true`

  return {
    // An orphan session (its user deleted) joins nothing and is no identity; an expired one answers its user alone.
    byToken: prepared(
      [s.type('token')],
      `select ${columns}
       from (select ${s.column('userId')} as owner, ${live} as live, ${sessionColumns(session)}, 1 as session_count${validFor(s.epoch('expiresAt'))}
             from ${tableName(session)} s where ${s.column('token')} = $1 limit 1) found
       join ${tableName(user)} u on ${u.column('id')} = found.owner
       left join lateral (select found.* where found.live) s on true`
    ),
    bySubject: prepared([u.type('id')], `select ${columns} ${from} ${bestSession} where ${u.column('id')} = $1`),
    bySession: prepared(
      [u.type('id'), s.type('id')],
      `select ${columns} ${from} ${namedSession} where ${u.column('id')} = $1`
    ),
    byEmail: prepared(['text'], `select ${columns} ${from} ${bestSession} where ${u.column('email')} = $1`)
  }
}

/**
 * All of them, by a number the planner does not see. It reckons with a tenth then, and so reads by the index, row after
 * row. Otherwise it would gather the few rows of a user in a bitmap first, which costs more, and most on PostgreSQL 18,
 * where other processes read what a bitmap names and is not in memory.
 */
const ROW_BY_ROW = 'limit (select 2147483647)'

/** What {@link sessionColumns} reads, and no more: leave to read may be given by the column. */
function rawColumns({ columns }: Table): string {
  const names = [...columns].flatMap(([field, { name }]) => (field === 'token' ? [] : [`s.${quote(name)}`]))
  return [...new Set(names)].join(', ')
}

/** The user's half of an `IdentityRow`, from a user table under the alias `u`. */
export function userColumns(user: Table, extra: readonly string[]): string {
  const u = columnsOf(user, 'u')
  return [
    `${u.text('id')} as user_id, ${u.text('email')} as email, ${u.text('name')} as name, ${u.text('image')} as image`,
    `${u.boolean('emailVerified')} as email_verified, ${u.text('role')} as role, ${banned(user)} as banned`,
    ...extra.map(field => `${u.column(field)} as ${quote(EXTRA_PREFIX + field)}`)
  ].join(', ')
}

/** Before the names of the application's own fields, so that none can stand in for one of ours. */
export const EXTRA_PREFIX = 'user.'

export const SESSION_ALIASES =
  's.session_id, s.session_user_id, s.expires_at, s.created_at, s.impersonated_by, s.active_organization_id, coalesce(s.session_count, 0) as session_count'

/** The session's half of an `IdentityRow`, for credentials that have none. */
export const NO_SESSION =
  'null::text as session_id, null::text as session_user_id, null::float8 as expires_at, null::float8 as created_at, ' +
  'null::text as impersonated_by, null::text as active_organization_id, 0 as session_count'

/** The session's half of an `IdentityRow`, from a session table under the alias `s`; without the count. */
export function sessionColumns(session: Table): string {
  const s = columnsOf(session, 's')
  return (
    `${s.text('id')} as session_id, ${s.text('userId')} as session_user_id, ${s.epoch('expiresAt')} as expires_at, ` +
    `${s.epoch('createdAt')} as created_at, ${s.text('impersonatedBy')} as impersonated_by, ` +
    `${s.text('activeOrganizationId')} as active_organization_id`
  )
}

/** `banned` is NULL for rows older than the admin plugin, and absent without it; a ban without an end lasts. */
function banned(user: Table): string {
  const u = columnsOf(user, 'u')
  if (!u.has('banned')) return 'false'
  if (!u.has('banExpires')) return `(${u.column('banned')} is true)`
  return `(${u.column('banned')} is true and (${u.column('banExpires')} is null or ${u.epoch('banExpires')} > ${NOW}))`
}
