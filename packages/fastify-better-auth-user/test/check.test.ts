import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createSocketServer, Socket } from 'node:net'
import postgres from '@fastify/postgres'
import { bearer } from 'better-auth/plugins'
import { createTestDatabase } from 'embedded-database/testing'
import Fastify from 'fastify'
import betterAuthUser, { type BetterAuthUserOptions } from 'fastify-better-auth-user'
import pg from 'pg'
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

/** To a name that resolves to two addresses, as localhost often does. */
class SocketToTwo extends Socket {
  override connect(port: unknown) {
    const addresses = ['127.0.0.1', '127.0.0.2'].map(address => ({ address, family: 4 }))
    return super.connect({
      port: Number(port),
      host: 'two.example',
      lookup: (_host, _options, done) => done(null, addresses)
    })
  }
}

const origin = { issuer: 'https://app.example.com', audience: 'https://app.example.com' }

const warnings: string[] = []
let startedInSilence: Promise<string> | undefined

/** A service whose database answers nothing. It takes seconds to give up, in which other tests run. */
async function startInSilence() {
  const sockets = new Set<Socket>()
  const silent = createSocketServer(socket => sockets.add(socket))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const database = new pg.Pool({ host: '127.0.0.1', port, connectionTimeoutMillis: 20_000 })
  const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => void warnings.push(line) } } })
  try {
    const keySet = { source: 'database', ...origin }
    await app.register(betterAuthUser, { secret: SECRET, database, keySet, apiKey: true, oauth: true })
    await app.ready()
    return 'started'
  } finally {
    await app.close()
    for (const socket of sockets) socket.destroy()
    silent.close()
  }
}

t.test('nothing is missing in a real deployment', async t => {
  startedInSilence = startInSilence().catch(String)
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

  const gone = createServer().listen(0, '127.0.0.1')
  await once(gone, 'listening')
  const { port: closed } = gone.address() as AddressInfo
  await new Promise(resolve => gone.close(resolve))
  const twoAddresses = new pg.Pool({ host: 'two.example', port: 1, stream: () => new SocketToTwo() })
  t.teardown(() => twoAddresses.end())

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
    [
      'no issuer',
      withoutJwt.connectionString,
      { keySet: { source: `http://127.0.0.1:${closed}/jwks`, ...origin } },
      /keys cannot be loaded: connect ECONNREFUSED/
    ],
    ['no server', 'postgres://nobody@127.0.0.1:1/none', {}, /ECONNREFUSED/],
    ['no server at either address', '', { database: twoAddresses }, /ECONNREFUSED 127\.0\.0\.1:1; .*127\.0\.0\.2:1/]
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

t.test('a database that answers nothing keeps no service from starting that is content with a warning', async t => {
  t.same(await startedInSilence, 'started')
  t.match(warnings.join(''), /the database did not answer within 5000 ms/)
})
