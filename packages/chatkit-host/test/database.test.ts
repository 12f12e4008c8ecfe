import { createTestDatabase } from 'embedded-database/testing'
import pg from 'pg'
import t from 'tap'
import { migrate, openHostDatabase, poolOptions, surviveLosses } from '../src/database.ts'
import { isOutage, refusal } from '../src/database-errors.ts'
import { StartError } from '../src/start-error.ts'
import { startPgBouncer, withoutPgBouncer } from './fixtures/pgbouncer.ts'

t.test('connection strings', async t => {
  const neon = 'postgresql://owner:npg_x%40y@ep-cool-sun-a1b2c3.eu-central-1.aws.neon.tech/neondb'

  t.test('Neon, directly: TLS checked in full, bound to the channel', async t => {
    const options = poolOptions(`${neon}?sslmode=require&channel_binding=require`)
    const client = new pg.Client(options)
    t.equal(client.host, 'ep-cool-sun-a1b2c3.eu-central-1.aws.neon.tech')
    t.equal(client.password, 'npg_x@y')
    t.ok(client.ssl, 'encrypted')
    t.not((client.ssl as unknown as { rejectUnauthorized?: boolean }).rejectUnauthorized, false, 'and checked')
    t.equal(options.enableChannelBinding, true)
    t.equal(options.statement_timeout, 14_000)
  })

  t.test('Neon’s pooler: no setting that PgBouncer would refuse', async t => {
    const options = poolOptions(`${neon.replace('.eu', '-pooler.eu')}?sslmode=require&channel_binding=require`)
    t.notOk('statement_timeout' in options)
    t.equal(options.query_timeout, 15_000, 'a wait has an end all the same')
    t.notOk('statement_timeout' in poolOptions('postgres://h:6432/d'))
    t.notOk('statement_timeout' in poolOptions('postgres://h/d?pgbouncer=true'))
  })

  t.test('as asked: unencrypted, unchecked, libpq’s own meaning', async t => {
    const ssl = (query: string) => new pg.Client(poolOptions(`postgres://h/d${query}`)).ssl as unknown
    t.equal(ssl(''), false)
    t.equal(ssl('?sslmode=disable'), false)
    t.match(ssl('?sslmode=no-verify'), { rejectUnauthorized: false })
    t.match(ssl('?sslmode=require&uselibpqcompat=true'), { rejectUnauthorized: false })
    t.strictSame(ssl('?sslmode=verify-full'), ssl('?sslmode=require'))
  })

  t.equal(poolOptions('postgres://h/d?connect_timeout=2').connectionTimeoutMillis, 2000)
  t.equal(new pg.Client(poolOptions('postgresql:///d?host=/var/run/postgresql')).host, '/var/run/postgresql')
})

t.test('behind a PgBouncer that nothing in the address tells of', { skip: withoutPgBouncer }, async t => {
  const database = await createTestDatabase()
  t.teardown(() => database.close())
  const url = await startPgBouncer(t, database.connectionString)
  const limitOf = async (databaseUrl: string) => {
    const opened = await openHostDatabase({ databaseUrl }, '', () => {})
    const pool = new pg.Pool(opened.pool)
    try {
      return (await pool.query("select current_setting('statement_timeout') as it")).rows[0]?.it
    } finally {
      await pool.end()
    }
  }
  t.equal(await limitOf(database.connectionString), '14s', 'a server ends statements that nobody waits for any more')
  t.equal(await limitOf(url), '0', 'a pooler is not asked for what it refuses')
  await t.rejects(
    migrate(poolOptions(`${url}?options=-c%20search_path%3Dmine`), [pool => pool.query('select 1').then(() => null)]),
    {
      name: 'StartError',
      message: /^The pooler at .* takes no connection that sets (search_path|options): take it out of/
    },
    'what the address itself asks for is told'
  )
})

t.test('hosts that start at once take turns to migrate', async t => {
  const database = await createTestDatabase()
  t.teardown(() => database.close())
  let inside = 0
  const migration = async (pool: pg.Pool) => {
    inside++
    t.equal(inside, 1)
    await pool.query('select pg_sleep(0.1)')
    inside--
    return 'something'
  }
  const options = poolOptions(database.connectionString)
  t.same(await Promise.all([migrate(options, [migration]), migrate(options, [migration])]), [
    ['something'],
    ['something']
  ])
})

t.test('a database that cannot be used is told in a sentence with the cure, without the password', async t => {
  const database = await createTestDatabase()
  t.teardown(() => database.close())
  const asked = async (change: (url: URL) => void, query = 'select 1') => {
    const url = new URL(database.connectionString)
    change(url)
    return migrate(poolOptions(url.href), [pool => pool.query(query).then(() => null)])
  }
  const role = `weak_${process.pid}`
  const admin = new pg.Client(database.connectionString)
  await admin.connect()
  await admin.query(`create role ${role} login password 'hunter2'`)
  await admin.query('revoke create on schema public from public')
  const asWeak = (url: URL) => Object.assign(url, { username: role, password: 'hunter2' })
  const cases: [string, () => Promise<unknown>, RegExp][] = [
    [
      'another database',
      () => asked(url => Object.assign(url, { pathname: '/nowhere' })),
      /has no such database .*: create it/
    ],
    [
      'another user',
      () => asked(url => Object.assign(url, { username: 'nobody_here' })),
      /does not let the user .*: check its name/
    ],
    [
      'no TLS there',
      () => asked(url => url.searchParams.set('sslmode', 'require')),
      /does not speak TLS: turn ssl on|certificate .* is not trusted/
    ],
    [
      'no right to make tables',
      () => asked(asWeak, 'create table mine ()'),
      /may not make tables \(permission denied .*: grant it CREATE/
    ],
    [
      'a standby',
      () => asked(() => {}, 'begin read only; create table mine ()'),
      /may only be read from: name the primary/
    ]
  ]
  for (const [why, work, sentence] of cases) await t.rejects(work(), { name: 'StartError', message: sentence }, why)
  await admin.query(`drop role ${role}`)
  await admin.end()
  t.match(
    refusal(
      'postgres://u:hunter2@h/d',
      Object.assign(new Error('self-signed certificate'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' })
    ),
    /^The certificate of PostgreSQL at h is not trusted \(SELF_SIGNED_CERT_IN_CHAIN\): name its authority .*\.$/
  )
  t.equal(refusal('postgres://u:hunter2@h/d', new Error('syntax error')), null, 'a bug is not excused')
  const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' })
  t.match(
    refusal('postgres:///d', away),
    /^The database at \w\S* cannot be reached \(ECONNREFUSED\)/,
    'a URL without a host'
  )
})

t.test('a connection that breaks ends nothing but itself', async t => {
  const database = await createTestDatabase()
  t.teardown(() => database.close())
  const pool = new pg.Pool({ connectionString: database.connectionString, max: 2 })
  t.teardown(() => pool.end())
  const losses: string[] = []
  surviveLosses(pool, error => losses.push('code' in error ? String(error.code) : error.message))
  const lent = await pool.connect()
  const idle = await pool.connect()
  const closed = Promise.all([lent, idle].map(client => new Promise(resolve => client.once('end', resolve))))
  idle.release()
  const killer = new pg.Client({ connectionString: database.connectionString })
  await killer.connect()
  await killer.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()'
  )
  await killer.end()
  await closed
  lent.release()
  t.equal((await pool.query('select 1 as one')).rows[0]?.one, 1, 'the pool goes on')
  t.same(losses, ['57P01'], 'told of the idle one; whoever had the other is told by its query')
})

t.test('an unreachable database is one sentence, without the password', async t => {
  await t.rejects(
    migrate(poolOptions('postgres://u:hunter2@127.0.0.1:1/d'), []),
    new StartError(
      'The database at 127.0.0.1:1 cannot be reached (ECONNREFUSED): check DATABASE_URL, and that PostgreSQL runs there.'
    )
  )
})

t.test('what counts as an outage', async t => {
  const coded = (code: string, more = {}) => Object.assign(new Error('x'), { code, ...more })
  t.ok(isOutage(coded('ECONNREFUSED', { syscall: 'connect' })))
  t.ok(isOutage(coded('57P01')), 'the server is shutting down')
  t.ok(isOutage(coded('53300')), 'too many connections')
  t.ok(isOutage(new Error('Failed to sign in', { cause: coded('08006') })), 'behind another error')
  t.ok(isOutage(new AggregateError([coded('ECONNREFUSED', { syscall: 'connect' })])))
  t.notOk(isOutage(coded('23505')), 'a row that exists')
  t.notOk(isOutage(coded('42P01')), 'a table that does not')
  t.notOk(isOutage(coded('ENOENT', { syscall: 'open' })), 'a file')
  t.notOk(isOutage('nonsense'))
})
