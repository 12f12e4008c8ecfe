import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTestDatabase, openTestServer } from 'embedded-database/testing'
import pg from 'pg'
import t from 'tap'
import { query } from './fixtures/query.ts'
import { allGone, runScript } from './fixtures/script.ts'

// The run's own server is for other tests; these start theirs.
delete process.env.TEST_DATABASE_URL

async function vanishes(path: string) {
  const deadline = Date.now() + 10_000
  while (existsSync(path)) {
    if (Date.now() > deadline) throw new Error(`still there: ${path}`)
    await sleep(20)
  }
}

// A broken connection says so more than once.
function firstError(client: pg.Client): Promise<unknown> {
  return new Promise(resolve => client.on('error', resolve))
}

t.test('two test databases share a server and see nothing of each other', async t => {
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()])
  t.teardown(one.close)
  t.teardown(two.close)
  t.equal(new URL(one.connectionString).port, new URL(two.connectionString).port)
  await query(one.connectionString, 'create table note as select 1 as answer')
  t.same(await query(two.connectionString, `select to_regclass('note') as note`), [{ note: null }])
  t.same(
    await query(two.connectionString, `select count(*)::int as tables from pg_tables where schemaname = 'public'`),
    [{ tables: 0 }]
  )
})

t.test('closing drops the database though someone is connected, and may be done twice', async t => {
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()])
  t.teardown(two.close)
  const client = new pg.Client(one.connectionString)
  const broken = firstError(client)
  await client.connect()
  await Promise.all([one.close(), one.close()])
  t.match(await broken, { code: '57P01' })
  await t.rejects(query(one.connectionString, 'select 1'), { code: '3D000' })
})

t.test('closing ends no session that is on its way out', async t => {
  // An ended pool forgets its sessions before they are gone; one that the server ends meanwhile fails in public.
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()])
  t.teardown(two.close)
  const client = new pg.Client(one.connectionString)
  const failures: unknown[] = []
  client.on('error', error => failures.push(error))
  await client.connect()
  const closed = one.close()
  // By then the database would be dropped, were nobody waited for.
  await query(two.connectionString, 'select pg_sleep(0.3)')
  await client.end()
  await closed
  t.same(failures, [])
  await t.rejects(query(one.connectionString, 'select 1'), { code: '3D000' })
})

t.test('the server', async t => {
  t.test('goes away with its data when the last database is closed', async t => {
    const { connectionString, close } = await createTestDatabase()
    const [row] = await query(connectionString, `select current_setting('data_directory') as data`)
    await close()
    await vanishes(String(row?.data))
    await t.rejects(query(connectionString, 'select 1'), { code: 'ECONNREFUSED' })
  })
  for (const [how, parameters, kill] of [
    ['when the process ends without closing', ['finish'], false],
    ['when the process is killed', ['wait'], true],
    ['when the process is killed while the server is stopped', ['wait', 'stopped'], true]
  ] as const) {
    t.test(`goes away with its data ${how}`, async t => {
      const { child, says, ended } = runScript('visitor.ts', [...parameters])
      const { data, helper } = await says()
      if (kill) child.kill('SIGKILL')
      t.equal(await ended, kill ? 'SIGKILL' : 0)
      await allGone([Number(helper)])
      await vanishes(String(data).replace(/\/data$/, ''))
    })
  }
})

t.test('with TEST_DATABASE_URL', async t => {
  t.afterEach(() => {
    delete process.env.TEST_DATABASE_URL
  })
  t.test('databases are made on that server, and dropped', async t => {
    const server = await openTestServer()
    t.teardown(server.close)
    process.env.TEST_DATABASE_URL = `${server.connectionString}?application_name=given`
    const database = await createTestDatabase()
    t.match(database.connectionString, `:${server.port}/test_`)
    t.same(await query(database.connectionString, `select current_setting('application_name') as name`), [
      { name: 'given' }
    ])
    const list = `select datname from pg_database where datname like 'test_%'`
    t.equal((await query(server.connectionString, list)).length, 1)
    await database.close()
    t.same(await query(server.connectionString, list), [])
  })
  for (const given of ['localhost', 'postgres//u:sesame@h/d', 'https://u:sesame@h/d']) {
    t.test(`set to something else (${given.replace(/:.*/, '')}), the error does not repeat it`, async t => {
      process.env.TEST_DATABASE_URL = given
      await t.rejects(createTestDatabase(), {
        name: 'TypeError',
        message: /TEST_DATABASE_URL is not a URL of the form/
      })
      await createTestDatabase().catch(error => t.notMatch(JSON.stringify(error) + error.stack, /sesame/))
    })
  }
})

t.test('a test server goes away and comes back on the same port with the same data', async t => {
  const server = await openTestServer()
  t.teardown(server.close)
  await query(server.connectionString, 'create table note as select 42 as answer')
  const client = new pg.Client(server.connectionString)
  const broken = firstError(client)
  await client.connect()
  await server.stop()
  t.match(await broken, { code: '57P01' })
  await t.rejects(query(server.connectionString, 'select 1'), { code: 'ECONNREFUSED' })
  await server.stop()
  await server.start()
  t.same(await query(server.connectionString, 'select answer from note'), [{ answer: 42 }])
})

t.test('a test server is never that of TEST_DATABASE_URL', async t => {
  const [one, two] = await Promise.all([openTestServer(), openTestServer()])
  t.teardown(one.close)
  t.teardown(two.close)
  process.env.TEST_DATABASE_URL = one.connectionString
  const three = await openTestServer()
  delete process.env.TEST_DATABASE_URL
  t.teardown(three.close)
  t.equal(new Set([one.port, two.port, three.port]).size, 3)
})
