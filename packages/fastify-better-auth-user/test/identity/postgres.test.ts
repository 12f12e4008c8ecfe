import { createTestDatabase } from 'embedded-database/testing'
import { postgresIdentityStore } from 'fastify-better-auth-user'
import pg from 'pg'
import t from 'tap'
import { keepsContractInEveryZone } from '../fixtures/keeps-contract-in-every-zone.ts'
import { migratedByBetterAuth } from '../fixtures/schema-variants.ts'

for (const variant of migratedByBetterAuth) {
  for (const ids of ['text', 'serial', 'uuid'] as const) {
    t.test(`${variant.name}, ${ids} ids`, t => keepsContractInEveryZone(t, variant, ids))
  }
}

t.test('among many users everybody is found by indexes, their sessions one by one', async t => {
  const database = await createTestDatabase()
  t.teardown(database.close)
  const [variant] = migratedByBetterAuth
  await variant?.create(database.connectionString, 'text')
  const client = new pg.Client({ connectionString: database.connectionString })
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
