import { createHash } from 'node:crypto'
import { symmetricEncrypt } from 'better-auth/crypto'
import { getMigrations } from 'better-auth/db/migration'
import { admin, bearer, jwt } from 'better-auth/plugins'
import { createSigningKey, type SigningKey } from 'fastify-better-auth-user/testing'
import pg from 'pg'

/** How many sessions each user has. */
const SESSIONS_EACH = 3

/** Of 32 letters and digits, as Better Auth's own tokens are. In no order, as those. */
export const userId = (user: number) => md5(`user ${user}`)
export const sessionId = (user: number, session: number) => md5(`session ${user} ${session}`)
export const sessionToken = (user: number, session: number) => md5(`token ${user} ${session}`)

// The same three in SQL.
const USER_ID = `md5('user ' || n)`
const SESSION_ID = `md5('session ' || n || ' ' || k)`
const SESSION_TOKEN = `md5('token ' || n || ' ' || k)`

/** Makes the tables of Better Auth and its usual plugins, as Better Auth itself does, and one key of its jwt plugin. */
export async function makeTables(connectionString: string, secret: string): Promise<SigningKey> {
  const pool = new pg.Pool({ connectionString, max: 2 })
  try {
    const features = { plugins: [admin(), bearer(), jwt()], telemetry: { enabled: false }, logger: { disabled: true } }
    const settings = { ...features, secret, baseURL: 'http://127.0.0.1', database: pool }
    await (await getMigrations(settings)).runMigrations()
    const key = await createSigningKey('EdDSA')
    const { alg, crv, kid, use: _, ...publicKey } = key.publicJwk
    const privateKey = JSON.stringify(await crypto.subtle.exportKey('jwk', key.privateKey))
    await pool.query(
      'insert into jwks (id, "publicKey", "privateKey", "createdAt", alg, crv) values ($1, $2, $3, now(), $4, $5)',
      [
        kid,
        JSON.stringify({ ...publicKey, crv }),
        JSON.stringify(await symmetricEncrypt({ key: secret, data: privateKey })),
        alg,
        crv
      ]
    )
    return key
  } finally {
    await pool.end()
  }
}

/** Fills the tables: users 1 to `count`, three sessions each, good for a week. One statement a table. */
export async function seedPeople(connectionString: string, count: number): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    await client.query(
      `insert into "user" (id, name, email, "emailVerified", "createdAt", "updatedAt", role, banned)
       select ${USER_ID}, 'User ' || n, 'user-' || n || '@example.com', true, now(), now(), 'user', false
       from generate_series(1, $1::int) n`,
      [count]
    )
    await withoutIndexes(client, 'session', () =>
      client.query(
        `insert into session (id, token, "userId", "expiresAt", "createdAt", "updatedAt", "ipAddress", "userAgent")
         select ${SESSION_ID}, ${SESSION_TOKEN}, ${USER_ID}, now() + interval '7 days', now(), now(), '192.0.2.1', 'Bench'
         from generate_series(1, $1::int) n, generate_series(1, ${SESSIONS_EACH}) k`,
        [count]
      )
    )
    await client.query('vacuum analyze "user"')
    await client.query('vacuum analyze session')
    // Else PostgreSQL writes all of it to disk while it is measured.
    await client.query('checkpoint')
  } finally {
    await client.end()
  }
}

/** Rows in no order into indexes that do not fit the buffers take minutes; making the indexes afterwards takes seconds. */
async function withoutIndexes(client: pg.Client, table: string, work: () => Promise<unknown>): Promise<void> {
  const { rows: constraints } = await client.query<{ name: string; definition: string }>(
    `select quote_ident(conname) as name, pg_get_constraintdef(oid) as definition
     from pg_constraint where conrelid = $1::regclass and contype in ('p', 'u', 'f') order by contype = 'f'`,
    [table]
  )
  for (const { name } of constraints) await client.query(`alter table ${table} drop constraint ${name}`)
  const { rows: indexes } = await client.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
     from pg_index where indrelid = $1::regclass`,
    [table]
  )
  for (const { name } of indexes) await client.query(`drop index ${name}`)
  await work()
  await client.query(`set maintenance_work_mem = '256MB'`)
  for (const { definition } of indexes) await client.query(definition)
  for (const { name, definition } of constraints) {
    await client.query(`alter table ${table} add constraint ${name} ${definition}`)
  }
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}
