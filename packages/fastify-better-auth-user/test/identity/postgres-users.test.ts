import { createTestDatabase } from 'embedded-database/testing'
import { type IdentityStore, postgresUserStore } from 'fastify-better-auth-user'
import pg from 'pg'
import t, { type Test } from 'tap'
import { postgresHarness } from '../fixtures/postgres-harness.ts'
import { type Ids, madeByOtherTools, migratedByBetterAuth, type SchemaVariant } from '../fixtures/schema-variants.ts'

const claims = (subject: string) => ({ by: 'subject', subject, sessionId: null, email: null }) as const

async function open(t: Test, variant: SchemaVariant, ids: Ids) {
  const { connectionString, close } = await createTestDatabase()
  await variant.create(connectionString, ids)
  const pool = new pg.Pool({ connectionString, max: 2 })
  pool.on('error', () => {})
  t.teardown(async () => {
    await pool.end()
    await close()
  })
  // As where Better Auth keeps its sessions in secondary storage.
  await pool.query(`drop table ${variant.session} cascade`)
  return pool
}

for (const variant of [...migratedByBetterAuth, ...madeByOtherTools]) {
  for (const ids of ['text', 'serial', 'uuid'] as const) {
    t.test(`users are found without a session table: ${variant.name}, ${ids} ids`, async t => {
      const pool = await open(t, variant, ids)
      const store: IdentityStore = postgresUserStore(pool, { tables: variant.tables })
      const harness = postgresHarness(store, pool, variant, ids)
      const id = await harness.addUser({ email: 'ada@example.com', name: 'Ada Lovelace' })
      const ada = {
        user: { id, email: 'ada@example.com', name: 'Ada Lovelace', emailVerified: false, image: null, role: null },
        session: null,
        sessionCount: 0,
        banned: false
      }
      t.match(await store.find(claims(id)), ada)
      t.match(await store.find({ by: 'email', email: 'ada@example.com' }), ada)
      for (const wrong of [
        '',
        '0',
        'nobody',
        `${id}0`,
        `${id}\0`,
        '99999999999',
        '00000000-0000-4000-8000-000000000000'
      ]) {
        t.equal(await store.find(claims(wrong)), null, JSON.stringify(wrong))
      }
      t.equal(await store.find({ by: 'email', email: 'ada@example.com\0' }), null)
      t.equal(await store.find({ by: 'session-token', sessionToken: id }), null, 'by itself it signs nobody in')
      t.equal(await store.find({ by: 'api-key', keyHash: id }), null)
      await harness.ban(id, 3600)
      t.match(await store.find(claims(id)), { banned: true })
      await harness.ban(id, -1)
      t.match(await store.find(claims(id)), { banned: false })
      await harness.ban(id, null)
      t.match(await store.find(claims(id)), { banned: true })
      await harness.removeUser(id)
      t.equal(await store.find(claims(id)), null)
      t.same(await store.check?.(), [])
    })
  }
}

t.test('fields of the application’s own are read', async t => {
  const [variant] = madeByOtherTools
  if (variant === undefined) return
  const pool = await open(t, variant, 'text')
  const store = postgresUserStore(pool, { userFields: ['department'] })
  t.match(await store.check?.(), [/no column for department/])
  await t.rejects(store.find(claims('usr_1')), { message: /no column for department/ })
  await pool.query(`alter table "user" add department text default 'Engines'`)
  const id = await postgresHarness(store, pool, variant, 'text').addUser({ email: 'ada@example.com', name: 'Ada' })
  t.match(await store.find(claims(id)), { user: { department: 'Engines' } }, 'found as soon as it is there')
  await pool.query('alter table "user" rename to away')
  t.match(await store.check?.(), [/user table was not found/], 'a check looks afresh')
  await t.rejects(store.find(claims(id)))
  await pool.query('alter table away rename to "user"')
  t.match(await store.find(claims(id)), { user: { id } })
})
