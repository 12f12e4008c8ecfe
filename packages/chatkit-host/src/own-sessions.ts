import type pg from 'pg'

/** One sign-in that still holds. Without its token: a model is told of sessions, it cannot use them. */
export interface OwnSession {
  createdAt: string | null
  expiresAt: string
  ipAddress: string | null
  userAgent: string | null
}

/** Sessions that are told of, the newest. */
const MAX_SESSIONS = 20

/** What Better Auth's columns are called by its adapters. */
const COLUMNS = {
  id: ['id'],
  token: ['token'],
  userId: ['userId', 'user_id', 'userid'],
  expiresAt: ['expiresAt', 'expires_at', 'expiresat'],
  createdAt: ['createdAt', 'created_at', 'createdat'],
  ipAddress: ['ipAddress', 'ip_address', 'ipaddress'],
  userAgent: ['userAgent', 'user_agent', 'useragent']
} as const

/** The live sessions of a user, in Better Auth's own table, the newest first. */
export async function ownSessions(pool: pg.Pool, userId: string): Promise<OwnSession[]> {
  const sessions = await liveSessions(pool, userId)
  return sessions.map(({ id, ...session }) => session)
}

/** The same, with the ids of their rows. */
export async function liveSessions(pool: pg.Pool, userId: string): Promise<(OwnSession & { id: string })[]> {
  const { table, column } = await sessionTable(pool)
  const { rows } = await pool.query(
    `select ${column('id')}::text as id, ${column('createdAt')}::text as "createdAt",
       ${column('expiresAt')}::text as "expiresAt", ${column('ipAddress')}::text as "ipAddress",
       left(${column('userAgent')}::text, 200) as "userAgent"
     from ${table} where ${column('userId')}::text = $1 and ${column('expiresAt')} > now()
     order by 2 desc nulls last limit ${MAX_SESSIONS}`,
    [userId]
  )
  return rows as (OwnSession & { id: string })[]
}

/** The token of a live session of this user; `null` when they have no such session. For whoever is about to end it. */
export async function tokenOfSession(pool: pg.Pool, userId: string, id: string): Promise<string | null> {
  const { table, column } = await sessionTable(pool)
  const { rows } = await pool.query(
    `select ${column('token')} as token from ${table}
     where ${column('id')}::text = $1 and ${column('userId')}::text = $2 and ${column('expiresAt')} > now()`,
    [id, userId]
  )
  return (rows[0] as { token: string } | undefined)?.token ?? null
}

/** Better Auth's session table, and its columns as SQL; one that it does not have is `null`. */
async function sessionTable(pool: pg.Pool): Promise<{ table: string; column(name: keyof typeof COLUMNS): string }> {
  const { rows } = await pool.query(
    `select table_name.oid::regclass::text as table, array_agg(attname::text) as columns
     from (select coalesce(to_regclass('session'), to_regclass('sessions')) as oid) table_name
     join pg_attribute on attrelid = table_name.oid and attnum > 0 and not attisdropped
     group by table_name.oid`
  )
  const found = rows[0] as { table: string; columns: string[] } | undefined
  const column = (name: keyof typeof COLUMNS) => {
    const known = COLUMNS[name].find(one => found?.columns.includes(one))
    return known === undefined ? 'null' : `"${known}"`
  }
  if (found === undefined || column('userId') === 'null' || column('expiresAt') === 'null')
    throw new Error("Better Auth's session table was not found")
  return { table: found.table, column }
}
