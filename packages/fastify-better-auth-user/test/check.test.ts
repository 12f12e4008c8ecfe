import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import postgres from '@fastify/postgres'
import { bearer } from 'better-auth/plugins'
import { createTestDatabase } from 'embedded-database/testing'
import Fastify from 'fastify'
import betterAuthUser, { type BetterAuthUserOptions } from 'fastify-better-auth-user'
import t from 'tap'
import { SECRET, startBetterAuth } from './fixtures/better-auth.ts'

async function problemsWith(
  t: { teardown(end: () => Promise<void>): void },
  connectionString: string,
  options: BetterAuthUserOptions
) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(postgres, { connectionString })
  await app.register(betterAuthUser, { secret: SECRET, checkAtStart: false, ...options })
  await app.ready()
  return await app.betterAuthUser.check()
}

const origin = { issuer: 'https://app.example.com', audience: 'https://app.example.com' }

t.test('nothing is missing in a real deployment', async t => {
  const server = await startBetterAuth(t)
  t.same(await problemsWith(t, server.connectionString, { keySet: { source: 'database', ...origin } }), [])
  t.same(
    await problemsWith(t, server.connectionString, { keySet: { source: `${server.url}/api/auth/jwks`, ...origin } }),
    []
  )
})

t.test('each problem is a sentence with its cure', async t => {
  const empty = await createTestDatabase()
  t.teardown(() => empty.close())
  const withoutJwt = await startBetterAuth(t, { plugins: [bearer()] })
  const broken = createServer((_, reply) => reply.writeHead(500).end())
  await new Promise<void>(resolve => broken.listen(0, '127.0.0.1', resolve))
  t.teardown(() => broken.close())
  const { port } = broken.address() as AddressInfo

  const cases: [string, string, BetterAuthUserOptions, RegExp][] = [
    [
      'no tables',
      empty.connectionString,
      {},
      /user table was not found: no table user or users on the search path.*Run Better Auth's migrations/
    ],
    [
      'another name',
      withoutJwt.connectionString,
      { tables: { session: { modelName: 'logins' } } },
      /no table logins.*tables\.session.*secondaryStorageIdentityStore/
    ],
    ['a field', withoutJwt.connectionString, { userFields: ['department'] }, /has no column for department/],
    [
      'no jwt plugin',
      withoutJwt.connectionString,
      { keySet: { source: 'database', ...origin } },
      /jwks table was not found: add the jwt plugin/
    ],
    [
      'no keys',
      withoutJwt.connectionString,
      { keySet: { source: `http://127.0.0.1:${port}/jwks`, ...origin } },
      /keys cannot be loaded: .* answered 500/
    ],
    ['no server', 'postgres://nobody@127.0.0.1:1/none', {}, /ECONNREFUSED/]
  ]
  for (const [name, connectionString, options, says] of cases) {
    t.test(name, async t => {
      const [problem, ...more] = await problemsWith(t, connectionString, options)
      t.match(problem, says)
      t.same(more, [])
    })
  }

  t.test('and keeps a service from starting that asks for that', async t => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(postgres, { connectionString: empty.connectionString })
    await app.register(betterAuthUser, { secret: SECRET, checkAtStart: 'fail' })
    await t.rejects(async () => app.ready(), /user table was not found/)
  })

  t.test('without the jwt plugin a token signed with a key is refused, and no outage', async t => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(postgres, { connectionString: withoutJwt.connectionString })
    await app.register(betterAuthUser, {
      secret: SECRET,
      checkAtStart: false,
      keySet: { source: 'database', ...origin }
    })
    app.get('/', async () => 'ok')
    const token = `${Buffer.from('{"alg":"EdDSA","kid":"k"}').toString('base64url')}.e30.AAAA`
    t.equal((await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).statusCode, 401)
  })
})
