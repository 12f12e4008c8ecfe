import { createTestDatabase } from 'embedded-database/testing'
import { postgresRevocations, revocationMigrations } from 'fastify-better-auth-user'
import pg from 'pg'
import t, { type Test } from 'tap'
import { startBetterAuth } from '../fixtures/better-auth.ts'
import { recordingListener } from '../fixtures/recording-listener.ts'
import { revocationDatabase } from '../fixtures/revocation-database.ts'

/** What is notified about a table, as it is sent. */
async function eavesdrop(t: Test, pool: pg.Pool, table: string) {
  const { rows } = await pool.query<{ name: string }>(
    `select proname as name from pg_trigger join pg_proc p on p.oid = tgfoid where tgrelid = $1::regclass and not tgisinternal limit 1`,
    [table]
  )
  const client = await pool.connect()
  t.teardown(() => client.release(true))
  const payloads: string[] = []
  client.on('notification', ({ payload = '' }) => payloads.push(payload))
  const name = rows[0]?.name
  await client.query(`listen ${name}`)
  return async (work: () => Promise<unknown>) => {
    payloads.length = 0
    await work()
    // In the order of the commits.
    await client.query(`notify ${name}, 'end'`)
    while (payloads.at(-1) !== 'end') await new Promise(resolve => setImmediate(resolve))
    return payloads.slice(0, -1)
  }
}

t.test('what is told', async t => {
  const { pool, signIn } = await revocationDatabase(t)
  const hear = await eavesdrop(t, pool, 'session')
  const people = (from: number, to: number, id = `'person-' || n`) =>
    pool.query(
      `insert into "user" (id, name, email, "emailVerified")
       select ${id}, 'Somebody', n || '@example.com', true from generate_series(${from}, ${to}) n`
    )
  const sessions = (where: string) =>
    pool.query(
      `insert into "session" (id, token, "userId", "expiresAt", "updatedAt")
       select 'secret-' || id, 'secret-' || id, id, now() + '1 hour', now() from "user" where ${where}`
    )

  t.same(await hear(() => signIn('secret')), ['["ada"]'], 'an id, and nothing else of the row')
  t.same(await hear(() => pool.query(`update session set token = 'other' where id = 'nobody'`)), [], 'no row, no word')
  t.same(await hear(() => pool.query(`update session set "ipAddress" = '::1'`)), ['["ada"]'])

  await people(1, 900)
  const many = await hear(() => sessions(`id like 'person-%'`))
  t.ok(many.length > 1 && many.length < 5, 'many in a few pieces')
  t.equal(new Set(many.flatMap(piece => JSON.parse(piece))).size, 900)
  t.ok(many.every(piece => Buffer.byteLength(piece) < 8000))

  const long = `repeat('ü"', 100) || n`
  await people(901, 1000, long)
  const bytes = await hear(() => sessions(`id like 'ü%'`))
  t.equal(new Set(bytes.flatMap(piece => JSON.parse(piece))).size, 100, 'counted in bytes, as JSON writes them')
  t.ok(bytes.every(piece => Buffer.byteLength(piece) < 8000))
  await people(0, 0, `repeat('ü', 4000)`)
  t.same(await hear(() => sessions(`length(id) = 4000`)), ['everything'], 'an id that fits into no payload')

  await people(1001, 11_000)
  t.same(await hear(() => sessions(`id like 'person-%' and id not in (select "userId" from session)`)), ['everything'])
  const loop = `do $$ declare n int; begin for n in 1..200 loop delete from session where id = 'secret-person-' || n; end loop; end $$`
  const singles = await hear(() => pool.query(loop))
  t.equal(singles.length, 65, 'a loop within one transaction')
  t.equal(singles.at(-1), 'everything')
  t.same(
    (await hear(() => pool.query(`delete from "user" where id like 'person-%'`))).at(-1),
    'everything',
    'a cascade'
  )
  await pool.query('begin; select 1; rollback')
  t.same(
    await hear(() => pool.query(`begin; delete from session; rollback`)),
    [],
    'what was rolled back did not happen'
  )

  await pool.query('alter table session rename column "userId" to owner')
  const column = await hear(() => pool.query(`update session set "updatedAt" = now()`))
  t.same(column, ['everything'], 'a trigger that does not fit any more lets the sign-in pass')
})

t.test('who hears of a change sees it', async t => {
  const { pool, signIn, signOut } = await revocationDatabase(t)
  const channel = postgresRevocations({ database: pool })
  t.teardown(() => channel.close())
  const seen: Promise<unknown>[] = []
  const { listener } = recordingListener()
  await channel.open({
    ...listener,
    changed: () =>
      seen.push(pool.query('select count(*)::int as count from session').then(({ rows }) => rows[0]?.count))
  })
  for (let round = 0; round < 50; round++) {
    await signIn('desk')
    await signOut('desk')
  }
  while (seen.length < 100) await new Promise(resolve => setImmediate(resolve))
  const counts = await Promise.all(seen)
  t.equal(counts.at(-1), 0)
  t.equal(counts.length, 100)
})

t.test('what people do with Better Auth is told', async t => {
  const betterAuth = await startBetterAuth(t, ({ bearer, admin }) => ({ plugins: [bearer(), admin()] }))
  const { pool } = betterAuth
  await revocationMigrations(pool).up()
  const channel = postgresRevocations({ database: pool })
  t.teardown(() => channel.close())
  const { listener, users } = recordingListener()
  await channel.open(listener)
  const people = (work: () => Promise<unknown>) => users(pool, work)

  const root = await betterAuth.signUp('Root')
  await pool.query(`update "user" set role = 'admin'`)
  const ada = await betterAuth.signUp('Ada')
  const as = ({ token }: { token: string }) => ({ authorization: `Bearer ${token}` })
  const userId = ada.user.id
  let desk = ada
  const signIn = async () => {
    desk = await betterAuth.signIn('ada@example.com')
  }
  await people(async () => {})
  t.same(await people(signIn), [userId], 'sign-in')
  t.same(await people(() => betterAuth.post('/sign-out', {}, as(desk))), [userId], 'sign-out')
  const admin = (path: string, body: object = {}) =>
    people(() => betterAuth.post(`/admin/${path}`, { userId, ...body }, as(root)))
  t.same(await admin('set-role', { role: 'admin' }), [userId], 'another role')
  t.same(await admin('ban-user'), [userId], 'a ban')
  t.same(await admin('unban-user'), [userId], 'its end')
  await people(signIn)
  t.same(await admin('revoke-user-sessions'), [userId], 'sessions revoked by an administrator')
  t.same(await admin('remove-user'), [userId], 'a user removed')
})

t.test('the migrations', async t => {
  await t.test('install once, say how things are, and remove everything', async t => {
    const { pool, migrations } = await revocationDatabase(t, { triggers: false })
    const catalog = async () => {
      const { rows } = await pool.query(
        `select tgname::text as name, tgrelid::regclass::text as "table", tgenabled::text as enabled from pg_trigger where not tgisinternal
         union all select proname, pronamespace::regnamespace::text, obj_description(oid) from pg_proc
         where pronamespace = 'public'::regnamespace order by 1, 2`
      )
      return rows
    }
    t.same(await migrations.pending(), ['"public"."user"', '"public"."session"'])
    t.match(await migrations.status(), [
      { installed: false, problem: /missing/ },
      { installed: false, problem: /missing/ }
    ])
    const both = await Promise.all([migrations.up(), revocationMigrations(pool).up()])
    // Either may come so late that it finds nothing to do.
    const [most] = both.sort((one, other) => other.length - one.length)
    t.same(most, ['"public"."user"', '"public"."session"'], 'two processes at once')
    const made = await catalog()
    t.equal(made.length, 12)
    t.ok(made.every(({ enabled }) => /^[AR]$|revocations 2: .* Removed by/.test(enabled)))
    t.same(await migrations.up(), [], 'nothing to do')
    t.same(await migrations.status(), [
      { table: '"public"."user"', installed: true, problem: null },
      { table: '"public"."session"', installed: true, problem: null }
    ])
    const { up, down } = await migrations.sql()
    await pool.query(down)
    t.same(await catalog(), [])
    await pool.query(up.replaceAll('\n', '\r\n').replaceAll('  ', '\t'))
    t.same(await migrations.pending(), [], 'as a file, whatever became of its white space')
    t.same(await migrations.down(), ['"public"."user"', '"public"."session"'])
    t.same(await migrations.down(), [])
    t.same(await catalog(), [])
  })

  await t.test('a watched user table alone, where sessions are elsewhere', async t => {
    const { pool } = await revocationDatabase(t, { triggers: false })
    t.same(await revocationMigrations(pool, {}, { sessions: false }).up(), ['"public"."user"'])
  })

  await t.test('wait for a table in use, without holding others up, and say who holds it', async t => {
    const { pool, signIn } = await revocationDatabase(t, { triggers: false })
    const holder = await pool.connect()
    t.teardown(() => holder.release(true))
    await holder.query('begin; lock table session in row exclusive mode')
    const hurried = revocationMigrations(pool, {}, { lockTimeoutMs: 50, attempts: 2 })
    await t.rejects(hurried.up(), {
      message: /"public"."session" could not be locked in 2 attempts, as the transaction of process \d+, open for \d+ s/
    })
    await signIn('desk')
    const patient = revocationMigrations(pool, {}, { lockTimeoutMs: 50 }).up()
    setTimeout(() => void holder.query('commit'), 100)
    t.equal((await patient).length, 2)
  })

  await t.test('work for the owner of the tables, and say so to others', async t => {
    const database = await createTestDatabase()
    t.teardown(() => database.close())
    const connect = (user?: string) => {
      const pool = new pg.Pool({
        connectionString: database.connectionString,
        ...(user && { options: `-c role=${user}` })
      })
      pool.on('error', () => {})
      t.teardown(() => pool.end())
      return pool
    }
    const root = connect()
    const name = `owner_${process.pid}`
    await root.query(`create role ${name}; create role ${name}_other; grant create, usage on schema public to ${name}`)
    t.teardown(() => root.query(`drop owned by ${name}, ${name}_other; drop role ${name}, ${name}_other`))
    const owner = connect(name)
    await owner.query(`create table "user" (id text primary key, email text);
      create table session (id text, token text, "userId" text references "user" on delete cascade, "expiresAt" timestamptz)`)
    await t.rejects(revocationMigrations(connect(`${name}_other`)).up(), {
      message: /may not make triggers on "public"."user" and "public"."session": run this as the owner of the tables/
    })
    t.equal((await revocationMigrations(owner).up()).length, 2)
  })

  await t.test('say which table cannot have triggers, and which is missing', async t => {
    const { pool } = await revocationDatabase(t, { triggers: false })
    await pool.query('alter table session rename to logins; create view session as select * from logins')
    await t.rejects(revocationMigrations(pool).up(), {
      message: /cannot have such triggers, as it is no ordinary table/
    })
    await pool.query('drop view session')
    await t.rejects(revocationMigrations(pool).up(), {
      message: /session table was not found.*Run Better Auth's migrations/
    })
  })
})
