import { createTestDatabase, openTestServer } from 'embedded-database/testing'
import Fastify from 'fastify'
import betterAuthUser from 'fastify-better-auth-user'
import pg from 'pg'
import t from 'tap'
import { buildApp } from './fixtures/build-app.ts'

t.test('an outage is 503, and over when the database is back', async t => {
  const server = await openTestServer()
  t.teardown(() => server.close())
  const admin = new pg.Client({ connectionString: server.connectionString })
  await admin.connect()
  await admin.query(`
    create table "user" (id text primary key, email text unique not null, name text);
    create table session (id text primary key, "userId" text, "expiresAt" timestamp, token text);
    insert into "user" values ('usr_1', 'ada@example.com', 'Ada');
    insert into session values ('ses_1', 'usr_1', (now() at time zone 'utc') + interval '1 hour', '0fOyRVonMqRyD20kP9Qi')`)
  await admin.end()
  const app = await buildApp(t, server.connectionString)
  const ask = (authorization?: string) => app.inject({ url: '/', headers: authorization ? { authorization } : {} })
  const good = 'Bearer 0fOyRVonMqRyD20kP9Qi'

  t.equal((await ask(good)).statusCode, 200)
  await server.stop()
  for (let attempt = 0; attempt < 3; attempt++) {
    const reply = await ask(good)
    t.equal(reply.statusCode, 503)
    t.match(reply.json(), { code: 'FST_BAU_UNAVAILABLE', message: 'Authentication is temporarily unavailable' })
    t.equal(reply.headers['retry-after'], '1')
    t.notOk(reply.headers['www-authenticate'], 'nobody is told to sign in again')
  }
  t.equal((await ask()).statusCode, 200, 'who needs no look-up is served')
  t.equal((await ask('Bearer bad.signature.')).statusCode, 503, 'nobody is let in, nobody is sent away')
  await server.start()
  t.equal((await ask(good)).statusCode, 200)
})

t.test('an idle connection that is lost ends no process, whoever made the pool', async t => {
  const test = await createTestDatabase()
  t.teardown(() => test.close())
  const database = new pg.Pool({ connectionString: test.connectionString, max: 1 })
  t.teardown(() => database.end())
  const warnings: string[] = []
  const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => void warnings.push(line) } } })
  t.teardown(() => app.close())
  await app.register(betterAuthUser, { database, checkAtStart: false })
  const { rows } = await database.query('select pg_backend_pid() as pid')
  const admin = new pg.Client({ connectionString: test.connectionString })
  await admin.connect()
  // Not `once` of node:events, which listens for errors as well.
  const removed = new Promise(resolve => database.on('remove', resolve))
  await admin.query('select pg_terminate_backend($1)', [rows[0].pid])
  await removed
  await admin.end()
  t.match(warnings.join(''), /terminating connection.*an idle database connection was lost/)
  t.notMatch(warnings.join(''), /secretKey|connectionParameters/, 'of which nothing else is told')
})
