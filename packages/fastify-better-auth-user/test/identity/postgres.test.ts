import { createTestDatabase } from 'embedded-database/testing'
import { cachedIdentityStore, postgresIdentityStore } from 'fastify-better-auth-user'
import pg from 'pg'
import t, { type Test } from 'tap'
import { keepsContractInEveryZone } from '../fixtures/keeps-contract-in-every-zone.ts'
import { migratedByBetterAuth } from '../fixtures/schema-variants.ts'

for (const variant of migratedByBetterAuth) {
  for (const ids of ['text', 'serial', 'uuid'] as const) {
    t.test(`${variant.name}, ${ids} ids`, t => keepsContractInEveryZone(t, variant, ids))
  }
}

t.test('fields of the application’s own are the same whether kept or not, and each request has its own', async t => {
  const connectionString = await openTables(t)
  const pool = new pg.Pool({ connectionString })
  t.teardown(() => pool.end())
  await pool.query(`
    alter table "user" add settings jsonb default '{"tags":["a"]}', add born timestamptz default '1815-12-10',
      add seal bytea default '\\xada0', add list text[] default '{x}', add pause interval default '1 hour', add credit numeric default 1;
    insert into "user" (id, name, email, "emailVerified") values ('u', 'Ada', 'ada@example.com', true);
    insert into session (id, token, "userId", "expiresAt", "updatedAt") values ('s', 't', 'u', now() + interval '1 day', now())`)
  // As libraries for decimals make them: an object with a function in it, which no structured clone takes.
  const decimal = { constructor: Number, toString: () => '1' }
  const types = {
    getTypeParser: (oid: number, format: never) => (oid === 1700 ? () => decimal : pg.types.getTypeParser(oid, format))
  }
  const parsing = { query: (statement: pg.QueryConfig) => pool.query({ ...statement, types } as pg.QueryConfig) }
  const userFields = ['settings', 'born', 'seal', 'list', 'pause', 'credit']
  const store = postgresIdentityStore(parsing, { userFields, tellValidity: true })
  const cache = cachedIdentityStore({
    store,
    channel: {
      open: async listener => listener.trusted(Number.POSITIVE_INFINITY),
      close: async () => {},
      check: async () => []
    }
  })
  await cache.open()
  t.teardown(() => cache.close())
  const claims = { by: 'session-token', sessionToken: 't' } as const
  const seen = (record: unknown) => (record as { user: Record<string, { toString(): string }> } | null)?.user ?? {}
  const inspect = (record: unknown) =>
    userFields.map(field => {
      const value = seen(record)[field]
      return [Object.getPrototypeOf(value)?.constructor?.name, JSON.stringify(value), String(value)]
    })
  const spoil = (record: unknown) => {
    const { settings, born, seal, list } = seen(record) as unknown as {
      settings: { tags: string[] }
      born: Date
      seal: Buffer
      list: string[]
    }
    settings.tags.push('b')
    born.setTime(0)
    seal.fill(0)
    list.push('y')
  }

  const expected = inspect(await store.find(claims))
  for (const ask of [() => store.find(claims), async () => cache.recall?.(claims) ?? cache.find(claims)]) {
    for (let round = 0; round < 2; round++) {
      const spoilt = ask().then(spoil)
      const [other] = await Promise.all([ask(), spoilt])
      t.same(inspect(other), expected)
    }
  }
  t.match(cache.stats, { kept: 1, missed: 2, recalled: 2 })
})

t.test('among many users everybody is found by indexes, their sessions one by one', async t => {
  const connectionString = await openTables(t)
  const client = new pg.Client({ connectionString })
  await client.connect()
  t.teardown(() => client.end())
  // Those of one user are far apart, as they are where people sign in at different times.
  await client.query(`
    insert into "user" (id, name, email, "emailVerified") select md5('u' || n), n, n || '@example.com', true from generate_series(1, 5000) n;
    insert into session (id, token, "userId", "expiresAt", "updatedAt")
      select md5('s' || k || ' ' || n), md5('t' || k || ' ' || n), md5('u' || n), now() + interval '1 day', now()
      from generate_series(1, 3) k, generate_series(1, 5000) n;
    analyze "user"; analyze session`)
  const asked = new Map<string, string>()
  const store = postgresIdentityStore({
    query: (statement: pg.QueryConfig) => {
      if (statement.name !== undefined) asked.set(statement.name, statement.text)
      return client.query(statement)
    }
  })
  const { rows: users } = await client.query('select id, email from "user" limit 2')
  const subject = { by: 'subject', sessionId: null, email: null } as const
  for (const some of [users.slice(1), users]) {
    await Promise.all(
      some.flatMap(({ id, email }) => [
        store.find({ ...subject, subject: id }),
        store.find({ ...subject, subject: id, sessionId: id }),
        store.find({ by: 'email', email }),
        store.find({ by: 'session-token', sessionToken: id })
      ])
    )
  }
  t.equal(asked.size, 8, 'four questions, each of one and of two')
  await client.query('set plan_cache_mode = force_generic_plan')
  for (const [name, text] of asked) {
    const parameters = Math.max(...[...text.matchAll(/\$(\d)/g)].map(([, number]) => Number(number)))
    const { rows } = await client.query(`explain execute "${name}" (${Array(parameters).fill('null')})`)
    const plan = rows.map(row => row['QUERY PLAN']).join('\n')
    t.notMatch(plan, /Seq Scan|Bitmap/, text)
    t.match(plan, /Index Scan using "?session_/)
  }
})

/** A database with Better Auth's own tables. */
async function openTables(t: Test): Promise<string> {
  const database = await createTestDatabase()
  t.teardown(database.close)
  const [variant] = migratedByBetterAuth
  await variant?.create(database.connectionString, 'text')
  return database.connectionString
}
