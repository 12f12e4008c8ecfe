import { randomUUID } from 'node:crypto'
import { createTestDatabase } from 'embedded-database/testing'
import { postgresIdentityStore, postgresRevocations, revocationMigrations } from 'fastify-better-auth-user'
import pg from 'pg'
import t from 'tap'
import { postgresHarness } from '../fixtures/postgres-harness.ts'
import { recordingListener } from '../fixtures/recording-listener.ts'
import { revocationDatabase } from '../fixtures/revocation-database.ts'
import { type Ids, madeByOtherTools, migratedByBetterAuth } from '../fixtures/schema-variants.ts'

const ids: Ids[] = ['text', 'serial', 'uuid']
const variants = [...migratedByBetterAuth, ...madeByOtherTools].map((variant, index) => ({
  variant,
  ids: ids[index % ids.length] ?? 'text'
}))

for (const { variant, ids } of variants) {
  t.test(`${variant.name}, ${ids} ids: every change is told by the ids of its users`, async t => {
    const database = await createTestDatabase()
    const pool = new pg.Pool({ connectionString: database.connectionString })
    pool.on('error', () => {})
    const channel = postgresRevocations({ database: pool, tables: variant.tables })
    t.teardown(async () => {
      await channel.close()
      await pool.end()
      await database.close()
    })
    await variant.create(database.connectionString, ids)
    await revocationMigrations(pool, variant.tables).up()
    const { user, session, column: c, now } = variant
    const people = postgresHarness(postgresIdentityStore(pool, { tables: variant.tables }), pool, variant, ids)
    const recording = recordingListener()
    await channel.open(recording.listener)
    t.same(await channel.check(), [])
    t.ok((await recording.trusted()) > performance.now(), 'a channel that was opened is trusted')

    const change = async (work: () => Promise<unknown>) => {
      const change = await recording.change(work)
      return change === 'everything' ? change : [...change.userIds].sort()
    }
    const person = async (name: string) => {
      let id = ''
      const told = await change(async () => {
        id = await people.addUser({ email: `${name}@example.com`, name })
      })
      t.same(told, [id], 'a new user')
      return id
    }
    const ada = await person('ada')
    const bob = await person('bob')
    let desk = { id: '', token: '' }
    const signIn = async () => {
      desk = await people.addSession({ userId: ada, expiresIn: 60 })
    }
    t.same(await change(signIn), [ada], 'a new session')
    t.same(await change(() => people.ban(ada, null)), [ada], 'a ban')
    const run = (statement: string, ...values: unknown[]) => change(() => pool.query(statement, values))
    const where = `where ${c('token')} = $1`
    t.same(await run(`update ${session} set ${c('expiresAt')} = ${now} ${where}`, desk.token), [ada], 'an end')
    const moved = await run(`update ${session} set ${c('userId')} = $2 ${where}`, desk.token, bob)
    t.same(moved, [ada, bob].sort(), 'a session that goes over to somebody else')
    t.same(await change(() => people.endSession(desk)), [bob], 'a sign-out')
    const renamed = ids === 'serial' ? '4711' : randomUUID()
    const both = [bob, renamed].sort()
    t.same(await run(`update ${user} set id = $2 where id = $1`, bob, renamed), both, 'another id')

    await change(signIn)
    const replica = await pool.connect()
    await replica.query('set session_replication_role = replica')
    t.same(await change(() => replica.query(`delete from ${session} ${where}`, [desk.token])), [ada], 'a replica role')
    replica.release(true)

    await change(signIn)
    t.same(await change(() => people.removeUser(ada)), [ada], 'a deleted user')
    const start = recording.log.length
    await pool.query(`truncate ${user} cascade`)
    await recording.everything(start)
  })
}

t.test('what was committed before the channel is asked has been told when it answers', async t => {
  const { pool } = await revocationDatabase(t)
  const channel = postgresRevocations({ database: pool })
  await t.rejects(Promise.resolve(channel.confirm?.()), /nobody listens/, 'nor is it confirmed before')
  t.teardown(() => channel.close())
  const told = new Set<string>()
  await channel.open({
    trusted: () => {},
    changed(change) {
      if (change !== 'everything') for (const id of change.userIds) told.add(id)
    },
    lost: reason => t.fail(reason)
  })
  const unheard: string[] = []
  const writer = async (_: unknown, writer: number) => {
    for (let n = 0; n < 150; n++) {
      const id = `${writer}-${n}`
      await pool.query(`insert into "user" (id, name, email, "emailVerified") values ($1, $1, $1, true)`, [id])
      await channel.confirm?.()
      if (!told.has(id)) unheard.push(id)
    }
  }
  await Promise.all(Array.from({ length: 4 }, writer))
  t.same(unheard, [])
  t.equal(told.size, 600)
  await channel.close()
  await t.rejects(Promise.resolve(channel.confirm?.()), /nobody listens/, 'nor afterwards')
})
