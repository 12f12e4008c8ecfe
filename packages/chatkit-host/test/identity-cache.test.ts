import { setTimeout as sleep } from 'node:timers/promises'
import { createTestDatabase } from 'embedded-database/testing'
import t from 'tap'
import { post } from './fixtures/chat.ts'
import { openHost } from './fixtures/host.ts'
import { bearer, signUp } from './fixtures/people.ts'

const operatorToken = 'q8GmJX2tYw0bV5nR7kLc4sPd1fHz6aEu'

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 15_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what}: not within 15 s`)
    await sleep(10)
  }
}

t.test('with IDENTITY_CACHE a known user costs no query, and one who signs out is turned away', async t => {
  const database = await createTestDatabase()
  t.teardown(() => database.close())
  const host = await openHost(t, {
    DATABASE_URL: database.connectionString,
    DATABASE_URL_UNPOOLED: database.connectionString,
    IDENTITY_CACHE: '1',
    OPERATOR_TOKEN: operatorToken
  })
  t.ok(
    host.lines.some(line => line.startsWith('Made revocation triggers')),
    'the triggers are made where the tables are its own'
  )
  const stats = () => host.app.betterAuthUser.stats()
  await until('the cache is used', () => stats().cache?.trusted === true)
  const ada = await signUp(host.url)
  await until('the sign-up is heard', () => (stats().cache?.changes ?? 0) > 0)
  for (let n = 0; n < 3; n++) t.equal((await post(host.url, bearer(ada.rawToken))).status, 200)
  const before = stats().lookups?.queries
  t.equal((await post(host.url, bearer(ada.rawToken))).status, 200)
  t.equal(stats().lookups?.queries, before)

  const ready = async () => {
    const reply = await fetch(`${host.url}/health/ready`, { headers: { authorization: `Bearer ${operatorToken}` } })
    return { code: reply.status, ...((await reply.json()) as { parts: object }) }
  }
  t.match(await ready(), { code: 200, parts: { identityCache: { ok: true } } })

  const headers = { ...bearer(ada.signedToken), 'content-type': 'application/json', origin: host.url }
  t.equal((await fetch(`${host.url}/api/auth/sign-out`, { method: 'POST', headers, body: '{}' })).status, 200)
  t.equal((await post(host.url, bearer(ada.rawToken))).status, 401)

  await host.app.betterAuthUser.migrations.down()
  await until('the loss is noticed', () => stats().cache?.state === 'lost')
  await sleep(1100)
  t.match(
    await ready(),
    { code: 200, parts: { identityCache: { ok: false, problems: [/trigger/] } } },
    'a host that looks every user up is ready'
  )
})

t.test('a direct connection that cannot be had is told at start, by its name', async t => {
  const database = await createTestDatabase()
  t.teardown(() => database.close())
  const wrong = (change: Partial<URL>) => Object.assign(new URL(database.connectionString), change).href
  for (const [url, message] of [
    [wrong({ password: 'wrong' }), /does not let the user of DATABASE_URL_UNPOOLED in \(28P01\)/],
    [wrong({ pathname: '/nowhere' }), /no such database as DATABASE_URL_UNPOOLED names \(3D000\)/],
    [wrong({ port: '1' }), /cannot be reached \(ECONNREFUSED\): check DATABASE_URL_UNPOOLED/]
  ] as const) {
    const settings = { DATABASE_URL: database.connectionString, DATABASE_URL_UNPOOLED: url, IDENTITY_CACHE: '1' }
    await t.rejects(openHost(t, settings), { name: 'StartError', message })
  }
})
