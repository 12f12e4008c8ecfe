import { EventEmitter, once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openTestServer } from 'embedded-database/testing'
import {
  cachedIdentityStore,
  type PostgresRevocationsOptions,
  postgresIdentityStore,
  postgresRevocations,
  revocationMigrations
} from 'fastify-better-auth-user'
import pg from 'pg'
import t, { type Test } from 'tap'
import { paceOf } from '../../src/identity/pace.ts'
import { startPgBouncer, withoutPgBouncer } from '../fixtures/pgbouncer.ts'
import { recordingListener } from '../fixtures/recording-listener.ts'
import { revocationDatabase } from '../fixtures/revocation-database.ts'
import { migratedByBetterAuth } from '../fixtures/schema-variants.ts'
import { startProxy } from '../fixtures/tcp-proxy.ts'

// Of this database: others on the same server have listeners of their own.
const LISTENING = `from pg_stat_activity
  where query like '-- fastify-better-auth-user listens%' and datname = current_database() and pid <> pg_backend_pid()`

function changed(url: string, change: Partial<URL>): string {
  const copy = new URL(url)
  Object.assign(copy, change)
  return copy.href
}

async function open(t: Test, options: PostgresRevocationsOptions) {
  const channel = postgresRevocations(options)
  t.teardown(() => channel.close())
  const recording = recordingListener()
  await channel.open(recording.listener)
  return { ...recording, channel }
}

t.test('a connection that ends', async t => {
  const { pool, signIn, signOut } = await revocationDatabase(t)
  const { log, trusted, lost, change, channel } = await open(t, { database: pool })
  await trusted()
  const start = log.length
  await pool.query(`select pg_terminate_backend(pid) ${LISTENING}`)
  t.match(await lost(/terminating connection.*tried again by itself/, start), /^The listening connection/)
  const known = log.findIndex(heard => 'lost' in heard)
  await trusted(known)
  t.same(await channel.check(), [], 'it is back')
  t.same(await change(() => signIn('desk')), { userIds: ['ada'], sessionTokens: [] })
  t.same(await change(() => signOut('desk')), { userIds: ['ada'], sessionTokens: [] })
})

t.test('a network that swallows everything', async t => {
  // Side by side, since most of their time is spent waiting.
  await Promise.all([nothingIsTrustedBeyondTheLease(t), nobodyIsBelievedBeyondTheLease(t)])
})

async function nothingIsTrustedBeyondTheLease(t: Test): Promise<void> {
  const { connectionString, pool, signIn } = await revocationDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const { log, trusted, lost, change } = await open(t, {
    database: pool,
    connect: proxy.connectionString,
    leaseMs: 1500
  })
  await trusted()
  proxy.cut()
  const cutAt = performance.now()
  await signIn('desk')
  await lost(/did not answer within/)
  const ends = log.flatMap(heard => ('trusted' in heard ? [heard.trusted] : []))
  t.ok(Math.max(...ends) <= cutAt + 1500, 'no proof came after the cut')
  t.notOk(
    log.some(heard => 'changed' in heard),
    'nothing was heard'
  )
  const start = log.length
  proxy.mend()
  await trusted(start)
  t.same(await change(() => signIn('phone')), { userIds: ['ada'], sessionTokens: [] })
}

async function nobodyIsBelievedBeyondTheLease(t: Test): Promise<void> {
  const { connectionString, pool, signIn, signOut } = await revocationDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const channel = postgresRevocations({ database: pool, connect: proxy.connectionString, leaseMs: 1500 })
  const store = postgresIdentityStore(pool, { tellValidity: true })
  // So much that the lease alone decides.
  const cache = cachedIdentityStore({ store, channel, maxStalenessMs: 60_000 })
  t.teardown(() => cache.close())
  await cache.open()
  await signIn('desk')
  const claims = { by: 'session-token', sessionToken: 'desk' } as const
  const isBelieved = () => cache.recall?.(claims) !== undefined
  // The first answer may be forgotten again, when the sign-in is told after it.
  while (!isBelieved()) t.ok(await cache.find(claims))
  proxy.cut()
  const cutAt = performance.now()
  await signOut('desk')
  for (let asked = 0; asked <= cutAt + 1500; await new Promise(resolve => setTimeout(resolve, 20))) {
    asked = performance.now()
    if (isBelieved() && asked > cutAt + 1500) t.fail('believed for too long')
  }
  t.notOk(isBelieved())
  t.equal(await cache.find(claims), null)
}

t.test('a proof holds until the next is due, and as much longer as they have lately taken', async t => {
  const { prove } = paceOf({})
  const holds = (tookMs: number) => {
    const sentAt = performance.now() - tookMs
    // Of fractions a difference of large numbers is not exact.
    return Math.round(prove(sentAt) - sentAt)
  }
  t.equal(holds(0), 1250, 'a quarter of a second, where they take no time')
  const near = (found: number, wanted: number) =>
    t.ok(found >= wanted && found < wanted + 100, `${found} for ${wanted}`)
  near(holds(300), 1600)
  near(holds(0), 1540)
  t.equal(holds(600), 2000, 'the lease at the longest')
  for (let n = 0; n < 30; n++) holds(0)
  t.equal(holds(0), 1250, 'what was long ago does not count')
  t.equal(paceOf({ heartbeatMs: 5000, leaseMs: 5100 }).prove(0), 5100)
})

t.test('triggers that are missing, come, are changed and go', async t => {
  const { pool, migrations, signIn } = await revocationDatabase(t, { triggers: false })
  const { log, trusted, lost, channel } = await open(t, { database: pool })
  t.match(await channel.check(), [
    /changes in "public"."user", as its revocation triggers are missing. Run `npx .* up`/
  ])
  t.notOk(log.some(heard => 'trusted' in heard))
  await migrations.up()
  await trusted()
  t.same(await channel.check(), [])

  const step = async (statement: string, reason: RegExp) => {
    const start = log.length
    await pool.query(statement)
    t.ok(await lost(reason, start), statement.slice(0, 80))
  }
  const session = 'alter table session'
  const trigger = 'trigger fastify_better_auth_user_delete'
  await step(`${session} disable ${trigger}; ${session} enable always ${trigger}`, /were changed just now/)
  await step(`${session} enable ${trigger}`, /is disabled, or enabled in another way/)
  await pool.query(`${session} enable always ${trigger}`)
  await trusted(log.length)
  await step(`${session} disable ${trigger}`, /"session", as a revocation trigger is disabled/)
  await step(`drop ${trigger} on session`, /not those of this version/)
  await step('alter table session rename to logins', /"session" is gone/)
  const start = log.length
  await pool.query('alter table logins rename to session')
  t.same(await migrations.up(), ['"public"."session"'])
  await trusted(start)
  await step((await migrations.sql()).down, /were removed/)
  t.resolves(signIn('desk'))
})

t.test('behind a pooler', { skip: withoutPgBouncer }, async t => {
  await t.test('in transaction mode LISTEN hears nothing, and that is noticed', async t => {
    const { connectionString, pool } = await revocationDatabase(t)
    const pooler = await startPgBouncer(t, connectionString, 'transaction')
    const [both, direct, listening] = await Promise.all([
      open(t, { database: pooler.pool }),
      open(t, { database: pooler.pool, connect: connectionString }),
      open(t, { database: pool, connect: pooler.connect })
    ])
    t.match(await both.channel.check(), [/pooler in transaction mode .* leads straight to Postgres/])
    t.same(await direct.channel.check(), [], 'lookups through it, listening past it')
    t.match(await listening.channel.check(), [/pooler in transaction mode/], 'lookups past it, listening through it')
    t.notOk([...both.log, ...listening.log].some(heard => 'trusted' in heard))
  })

  await t.test('in session mode it works', async t => {
    const { connectionString, signIn } = await revocationDatabase(t)
    const pooler = await startPgBouncer(t, connectionString, 'session')
    const { channel, change, trusted, log } = await open(t, { database: pooler.pool })
    t.same(await channel.check(), [])
    t.same(await change(() => signIn('desk')), { userIds: ['ada'], sessionTokens: [] })
    await trusted(log.length)
  })
})

t.test('on a server with settings of its own', async t => {
  const server = await openTestServer()
  t.teardown(() => server.close())
  const connect = (connectionString: string) => {
    const pool = new pg.Pool({ connectionString })
    pool.on('error', () => {})
    t.teardown(() => pool.end())
    return pool
  }
  const admin = connect(server.connectionString)
  await admin.query('alter system set wal_level = logical')
  // The fewest there may be: half a megabyte, where 8 GB are the default.
  await admin.query('alter system set max_notify_queue_pages = 64')
  await server.stop()
  await server.start()
  const makeDatabase = async (name: string) => {
    await admin.query(`create database ${name} template template0`)
    const connectionString = changed(server.connectionString, { pathname: name })
    await migratedByBetterAuth[0]?.create(connectionString, 'text')
    const pool = connect(connectionString)
    await revocationMigrations(pool).up()
    return { pool, connectionString }
  }
  const written = await makeDatabase('written')
  const replica = await makeDatabase('replica')
  const people = (...ids: string[]) =>
    written.pool.query(
      `insert into "user" (id, name, email, "emailVerified") select id, id, id, true from unnest($1::text[]) id`,
      [ids]
    )

  await t.test('what logical replication applies is told where it is applied', async t => {
    const { log, trusted, named, everything, channel } = await open(t, { database: replica.pool })
    await trusted()
    await written.pool.query('create publication people for table "user", session')
    // Within one server it could not be made by the subscription, which would wait for itself.
    await written.pool.query(`select pg_create_logical_replication_slot('people', 'pgoutput')`)
    await replica.pool.query(
      `create subscription people connection '${written.connectionString}' publication people
       with (create_slot = false, slot_name = people, copy_data = false)`
    )
    const step = async (id: string, statement: string) => {
      const start = log.length
      await written.pool.query(statement)
      await named(id, start)
    }
    await people('ada', 'bob')
    await named('ada')
    const session = `'token', 'token', 'ada', now() + interval '1 hour', now()`
    await step('ada', `insert into session (id, token, "userId", "expiresAt", "updatedAt") values (${session})`)
    await step('bob', `update session set "userId" = 'bob'`)
    await step('bob', 'delete from session')
    await step('ada', `update "user" set banned = true where id = 'ada'`)
    const { rows } = await replica.pool.query(`select banned from "user" where id = 'ada'`)
    t.same(rows, [{ banned: true }], 'who hears of it sees it')
    await step('ada', `delete from "user" where id = 'ada'`)
    const start = log.length
    await written.pool.query('truncate session')
    await everything(start)
    t.notOk(log.slice(0, start).some(heard => 'changed' in heard && heard.changed === 'everything'))
    t.same(await channel.check(), [])
    await replica.pool.query('drop subscription people')

    const copying = await replica.pool.connect()
    await copying.query('set session_replication_role = replica')
    const before = log.length
    await copying.query(`delete from "user" where id = 'bob'`)
    copying.release(true)
    await named('bob', before)
    t.pass('and so is what a session writes that stands for a replica')
  })

  await t.test('a queue of notifications that fills up is foreseen, and its cause is named', async t => {
    const { log, trusted, lost, channel } = await open(t, { database: written.pool })
    await trusted()
    const slow = await written.pool.connect()
    t.teardown(() => slow.release(true))
    await slow.query('listen nothing')
    await slow.query('begin; select 1')
    const fill = (pages: number) =>
      admin.query(`select pg_notify('elsewhere', n || repeat('.', 7900)) from generate_series(1, ${pages}) n`)
    await fill(40)
    await trusted(log.length)
    t.match(await channel.check(), [/notifications is (5|6|7)\d % full.*open for long in a session that listens/])
    const full = async () => {
      for (;;) await fill(1)
    }
    await t.rejects(full(), { code: '54000' })
    await t.rejects(people('carol'), { message: /too many notifications/ }, 'from now on nobody can sign in')
    t.match(await lost(/too many notifications/), /end the transaction that has been open for long/)
    const start = log.length
    await slow.query('commit')
    await trusted(start)
    t.same(await channel.check(), [])
    await people('carol')
  })

  await t.test('a hot standby', async t => {
    const primary = await revocationDatabase(t)
    const { pool, connectionString } = replica
    const { rows } = await pool.query<{ data_directory: string }>('show data_directory')
    await server.stop()
    writeFileSync(join(rows[0]?.data_directory ?? '', 'standby.signal'), '')
    await server.start()

    const listens = await open(t, { database: primary.pool, connect: connectionString })
    t.match(await listens.channel.check(), [/cannot execute LISTEN during recovery.*connect it to the primary/])
    const looksUp = await open(t, { database: pool, connect: primary.connectionString })
    t.match(await looksUp.channel.check(), [/looked up on a hot standby, which lags/])
    t.notOk([...listens.log, ...looksUp.log].some(heard => 'trusted' in heard))
  })
})

t.test('a connection that cannot be had', async t => {
  const { connectionString, pool } = await revocationDatabase(t)
  const cases = [
    {
      why: 'nobody of that name',
      change: { username: 'nobody_here' },
      says: /(authentication failed|role "nobody_here" does not exist).*correct its user/
    },
    {
      why: 'no such database',
      change: { pathname: '/nowhere' },
      says: /"nowhere" does not exist.*name of the database/
    },
    { why: 'nobody there', change: { port: '1' }, says: /ECONNREFUSED.*see that the database is up/ },
    {
      why: 'another database',
      change: { pathname: '/postgres' },
      says: /hears nothing of the database where identities/
    }
  ]
  await Promise.all(
    cases.map(async ({ why, change, says }) => {
      const { channel, log } = await open(t, { database: pool, connect: changed(connectionString, change) })
      t.match(await channel.check(), [says], why)
      t.notOk(log.some(heard => 'trusted' in heard))
    })
  )
})

t.test('closing', async t => {
  await t.test('while it connects leaves nothing behind', async t => {
    const { connectionString, pool } = await revocationDatabase(t)
    const client = new pg.Client({ connectionString })
    const ended = once(client, 'end')
    const asked = new EventEmitter()
    const channel = postgresRevocations({
      database: pool,
      async connect() {
        await once(asked, 'now')
        await client.connect()
        return client
      }
    })
    const { listener, log } = recordingListener()
    const opened = channel.open(listener)
    await channel.close()
    await opened
    t.same(log, [], 'nothing is told')
    t.match(await channel.check(), [/is closed/])
    asked.emit('now')
    await ended
    t.pass('a connection that comes afterwards is ended')
  })

  await t.test('is not needed for the pool to end', async t => {
    const { connectionString } = await revocationDatabase(t)
    const pool = new pg.Pool({ connectionString })
    const { lost } = await open(t, { database: pool })
    await pool.end()
    t.match(await lost(/pool/), /pool of the database was ended: close the service before it/)
  })

  await t.test('ends its connection, tells nothing more, and may be followed by another opening', async t => {
    const { pool } = await revocationDatabase(t)
    const { channel, trusted, log, listener } = await open(t, { database: pool })
    await t.rejects(channel.open(listener), /open already/)
    const { length } = log
    await Promise.all([channel.close(), channel.close()])
    await channel.close()
    t.equal(pool.totalCount, pool.idleCount)
    while ((await pool.query(`select pid ${LISTENING}`)).rows.length > 0) await new Promise(setImmediate)
    t.pass('the server knows of none')
    t.equal(log.length, length, 'nothing is told')
    await channel.open(listener)
    await trusted(length)
    t.pass('it may be opened again')
  })
})

t.test('options that cannot work', async t => {
  const database = new pg.Pool({ max: 1 })
  const nothing = { query: async () => ({ rows: [] }) }
  t.throws(() => postgresRevocations({ database }), { name: 'TypeError', message: /larger `max`, or give `connect`/ })
  t.throws(() => postgresRevocations({ database: nothing }), { name: 'TypeError', message: /no pool.*give `connect`/ })
  t.throws(() => postgresRevocations({ database, connect: '', heartbeatMs: 500 }), { name: 'TypeError' })
  t.throws(() => postgresRevocations({ database, connect: '', leaseMs: 1000 }), { name: 'TypeError' })
})
