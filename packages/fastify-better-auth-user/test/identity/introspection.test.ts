import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { BetterAuthOptions } from 'better-auth'
import { admin, bearer, organization } from 'better-auth/plugins'
import { type IdentityStore, introspectionIdentityStore } from 'fastify-better-auth-user'
import t, { type Test } from 'tap'
import { SECRET, startBetterAuth } from '../fixtures/better-auth.ts'
import { buildApp } from '../fixtures/build-app.ts'
import { keepsContract } from '../fixtures/keeps-contract.ts'
import { postgresHarness } from '../fixtures/postgres-harness.ts'
import { migratedByBetterAuth } from '../fixtures/schema-variants.ts'

const start = (t: Test, options: Partial<BetterAuthOptions> = {}) =>
  startBetterAuth(t, { plugins: [bearer(), admin(), organization()], ...options })
const find = (store: IdentityStore, sessionToken: string) => store.find({ by: 'session-token', sessionToken })

t.test('a remote Better Auth is asked over a real socket', async t => {
  t.test('and the store keeps the contract', async t => {
    const { url, pool } = await start(t)
    const [variant] = migratedByBetterAuth
    if (variant === undefined) return
    const { contents: _, ...harness } = postgresHarness(
      introspectionIdentityStore({ baseURL: url }),
      pool,
      variant,
      'text'
    )
    await keepsContract(t, { ...harness, answers: ['session-token'], knowsUsers: false })
  })

  t.test('requests are served, refused, and put off in an outage', async t => {
    const betterAuth = await start(t)
    const ada = await betterAuth.signUp()
    const identityStore = introspectionIdentityStore({ baseURL: betterAuth.url })
    const app = await buildApp(t, betterAuth.connectionString, { identityStore })
    const ask = async (headers: Record<string, string>) => (await app.inject({ url: '/me', headers })).statusCode
    const token = { authorization: `Bearer ${ada.token}` }
    t.equal(await ask(token), 200)
    t.equal(await ask({ cookie: ada.cookie }), 200)
    t.equal(await ask({ authorization: 'Bearer 0fOyRVonMqRyD20kP9Qi' }), 401)
    await betterAuth.pool.query('alter table session rename to away')
    t.equal(await ask(token), 503, 'Better Auth has trouble with its database')
    await betterAuth.pool.query('alter table away rename to session')
    t.equal(await ask(token), 200)
    await betterAuth.post('/sign-out', {}, token)
    t.equal(await ask(token), 401)
  })

  t.test('nothing is prolonged', async t => {
    const betterAuth = await start(t, { session: { updateAge: 0 } })
    const { token } = await betterAuth.signUp()
    const row = async () => {
      const { rows } = await betterAuth.pool.query('select "expiresAt", "updatedAt" from session where token = $1', [
        token
      ])
      return rows
    }
    const before = await row()
    t.match(await find(introspectionIdentityStore({ baseURL: betterAuth.url }), token), { sessionCount: 1 })
    t.same(await row(), before)
    await betterAuth.get('/get-session', { authorization: `Bearer ${token}` })
    t.notSame(await row(), before, 'where any other read would have')
  })

  t.test('a cookie cache there delays nothing', async t => {
    const betterAuth = await start(t, { session: { cookieCache: { enabled: true } } })
    const { token } = await betterAuth.signUp()
    const store = introspectionIdentityStore({ baseURL: betterAuth.url })
    t.match(await find(store, token), { sessionCount: 1 })
    await betterAuth.pool.query('delete from session where token = $1', [token])
    t.equal(await find(store, token), null)
  })

  t.test('the token is sent as the deployment wants it', async t => {
    const cases = [
      { why: 'bearer()', plugins: [bearer()], options: {}, works: true },
      { why: 'bearer(), signed', plugins: [bearer()], options: { secret: SECRET }, works: true },
      { why: 'signatures required', plugins: [bearer({ requireSignature: true })], options: {}, works: false },
      {
        why: 'signatures required, signed',
        plugins: [bearer({ requireSignature: true })],
        options: { secret: SECRET },
        works: true
      },
      {
        why: 'signed with another secret',
        plugins: [bearer({ requireSignature: true })],
        options: { secret: SECRET.toLowerCase() },
        works: false
      },
      { why: 'no bearer()', plugins: [], options: { secret: SECRET }, works: false },
      {
        why: 'no bearer(), as a cookie',
        plugins: [],
        options: { secret: SECRET, cookieName: 'better-auth.session_token' },
        works: true
      },
      {
        why: 'a cookie of the deployment’s own name',
        plugins: [],
        advanced: { cookiePrefix: 'shop', useSecureCookies: true },
        options: { secret: SECRET, cookieName: '__Secure-shop.session_token' },
        works: true
      }
    ]
    for (const { why, plugins, advanced = {}, options, works } of cases) {
      await t.test(why, async t => {
        const betterAuth = await start(t, { plugins, advanced })
        const { token, user } = await betterAuth.signUp()
        const found = await find(introspectionIdentityStore({ baseURL: betterAuth.url, ...options }), token)
        if (works) t.match(found, { user: { id: user.id } })
        else t.equal(found, null)
      })
    }
  })

  t.test('a token that is longer than its server takes is nobody’s, and no outage', async t => {
    const { url } = await start(t)
    const store = introspectionIdentityStore({ baseURL: url, secret: SECRET, cookieName: 'better-auth.session_token' })
    t.equal(await find(store, '%'.repeat(8000)), null)
  })

  t.test('its rate limit is an outage with a cure', async t => {
    const rule = { enabled: true, window: 60, max: 2 }
    const limited = await start(t, { rateLimit: rule })
    const exempt = await start(t, { rateLimit: { ...rule, customRules: { '/get-session': false } } })
    const store = introspectionIdentityStore({ baseURL: limited.url })
    for (let n = 0; n < 2; n++) t.equal(await find(store, 'nobody'), null)
    await t.rejects(find(store, 'nobody'), { message: /status 429: exempt this service/ })
    const free = introspectionIdentityStore({ baseURL: exempt.url })
    for (let n = 0; n < 4; n++) t.equal(await find(free, 'nobody'), null)
  })

  t.test('base paths are taken as Better Auth takes them', async t => {
    const root = await start(t)
    const { token } = await root.signUp()
    for (const baseURL of [
      root.url,
      `${root.url}/`,
      `${root.url}/api/auth`,
      `${root.url}/api/auth/`,
      new URL(root.url)
    ]) {
      t.match(await find(introspectionIdentityStore({ baseURL }), token), { sessionCount: 1 }, String(baseURL))
    }
    const wrong = introspectionIdentityStore({ baseURL: `${root.url}/auth` })
    await t.rejects(find(wrong, token), { message: /status 404: is that the base path of Better Auth\?/ })
    t.match(await wrong.check?.(), [/^Better Auth cannot be asked \(.*status 404.*\): start it, or correct baseURL\.$/])
    t.same(await introspectionIdentityStore({ baseURL: root.url }).check?.(), [])
  })
})

// 5 kB on the wire, 5 MB once unpacked.
const PACKED = gzipSync(Buffer.alloc(5_000_000, ' '))

const good = {
  session: {
    id: 'ses_1',
    token: 'tok_1',
    userId: 'usr_1',
    expiresAt: '2100-01-01T00:00:00Z',
    createdAt: '2026-01-01T00:00:00Z'
  },
  user: { id: 'usr_1', email: 'ada@example.com', name: 'Ada', emailVerified: true, department: 'Engines' }
}

t.test('what the other side may answer', async t => {
  const body = JSON.stringify(good)
  const answers: [why: string, answer: Answer, verdict: object | null | RegExp][] = [
    ['a session', json(good), { user: { id: 'usr_1' }, session: { id: 'ses_1' } }],
    [
      'a session without its token',
      json({ ...good, session: { ...good.session, token: undefined } }),
      { sessionCount: 1 }
    ],
    ['a session that is over by our clock', json({ ...good, session: { ...good.session, expiresAt: 0 } }), null],
    ['null', json(null), null],
    ['401', status(401, '{"code":"UNAUTHORIZED"}'), null],
    ['403', status(403, 'forbidden'), null],
    ['204', status(204, ''), /status 204$/],
    ['206', status(206, body), /status 206$/],
    ['500', status(500, 'null'), /status 500$/],
    ['502 with a session', status(502, body), /status 502$/],
    ['a page', status(200, '<!doctype html>'), /the answer is not JSON$/],
    ['nothing', status(200, ''), /the answer is not JSON$/],
    ['a list', json([good]), /the answer is no session with its user$/],
    ['an empty object', json({}), /the answer is no session with its user$/],
    ['false', json(false), /the answer is no session with its user$/],
    ['a session without its user', json({ session: good.session }), /the answer is no session with its user$/],
    ['another user', json({ ...good, user: { ...good.user, id: 'usr_2' } }), /the answer is no session with its user$/],
    ['another session', json({ ...good, session: { ...good.session, token: 'tok_2' } }), /about another session$/],
    ['too much, announced', status(200, `"${'x'.repeat(300_000)}"`), /longer than 262144 bytes$/],
    ['too much, without end', (_, reply) => flood(reply), /longer than 262144 bytes$/],
    ['too much, packed', (_, reply) => bomb(reply), /longer than 262144 bytes$/],
    ['silence', () => {}, /no answer within 200 ms$/],
    [
      'silence after half an answer',
      (_, reply) => void reply.writeHead(200).write('{"session"'),
      /no answer within 200 ms$/
    ],
    [
      'a broken answer',
      (_, reply) => reply.writeHead(200, { 'content-length': 9 }).write('{', () => reply.destroy()),
      /./
    ],
    ['a closed connection', (_, reply) => void reply.destroy(), /./]
  ]
  for (const [why, answer, verdict] of answers) {
    t.test(why, async t => {
      const url = await serve(t, answer)
      const store = introspectionIdentityStore({ baseURL: url, timeoutMs: why.startsWith('silence') ? 200 : 5000 })
      if (!(verdict instanceof RegExp)) return void t.match(await find(store, 'tok_1'), verdict)
      const error = await find(store, 'tok_1').then(
        () => t.fail('found'),
        (error: Error) => error
      )
      t.match(error, { message: verdict })
      t.match(error, { message: new RegExp(`^${url}/api/auth/get-session`) })
      t.notOk(String(error).includes('tok_1'), 'the token is not in the message')
    })
  }
})

t.test('a token goes to the named place only', async t => {
  const asked: string[] = []
  const elsewhere = await serve(t, (request, reply) => {
    asked.push(request.url ?? '')
    json(good)(request, reply)
  })
  for (const code of [301, 302, 303, 307, 308]) {
    const url = await serve(
      t,
      (_, reply) => void reply.writeHead(code, { location: `${elsewhere}/api/auth/get-session` }).end()
    )
    await t.rejects(find(introspectionIdentityStore({ baseURL: url }), 'tok_1'), {
      message: new RegExp(`status ${code}: redirects are not followed`)
    })
  }
  t.same(asked, [])
})

t.test('what is asked', async t => {
  const seen: { url: string; authorization: string; cookie: string }[] = []
  const url = await serve(t, (request, reply) => {
    const { authorization = '', cookie = '' } = request.headers
    seen.push({ url: `${request.method} ${request.url}`, authorization, cookie })
    json(null)(request, reply)
  })
  const store = introspectionIdentityStore({ baseURL: `${url}/auth` })
  await find(store, 'tok_1')
  await find(store, 'a.b%2B')
  // What no header can carry is not asked at all, and neither is what the endpoint cannot know.
  for (const odd of ['', 'x\r\nx-admin: 1', 'x\0', 'ä', '😀', 'a b', '\t']) t.equal(await find(store, odd), null)
  t.equal(await store.find({ by: 'subject', subject: 'usr_1', sessionId: null, email: null }), null)
  t.equal(await store.find({ by: 'email', email: 'ada@example.com' }), null)
  const path = 'GET /auth/get-session?disableCookieCache=true&disableRefresh=true'
  t.same(seen, [
    { url: path, authorization: 'Bearer tok_1', cookie: '' },
    { url: path, authorization: 'Bearer a.b%2B', cookie: '' }
  ])
  seen.length = 0
  // The vector of a running Better Auth.
  const token = 'PRtYunFOQr9KVcDF1zZpZppRFrGNgDd5'
  await find(introspectionIdentityStore({ baseURL: url, secret: SECRET }), token)
  await find(introspectionIdentityStore({ baseURL: url, secret: SECRET, cookieName: 'sid' }), token)
  t.match(seen, [
    { authorization: `Bearer ${token}.qC0i7tr0pS+g3YL0mP+bvIsiZ1rqc6LFC0znqY9eQME=`, cookie: '' },
    { authorization: '', cookie: `sid=${token}.qC0i7tr0pS%2Bg3YL0mP%2BbvIsiZ1rqc6LFC0znqY9eQME%3D` }
  ])
})

t.test('fields, clock, limits and fetch are options', async t => {
  const url = await serve(
    t,
    json({ ...good, user: { ...good.user, banned: true, banExpires: '2026-05-01T12:00:00Z' } })
  )
  const at = (now: string, more = {}) =>
    find(introspectionIdentityStore({ baseURL: url, now: () => Date.parse(now), ...more }), 'tok_1')
  t.match(await at('2026-05-01T11:59:59Z', { userFields: ['department'] }), {
    banned: true,
    user: { department: 'Engines' }
  })
  t.match(await at('2026-05-01T12:00:00Z'), { banned: false })
  t.match(await at('2100-01-01T00:00:00Z'), { session: { id: 'ses_1' } }, 'valid to the very instant')
  t.equal(await at('2100-01-01T00:00:01Z'), null)
  await t.rejects(at('2026-05-01T12:00:00Z', { maxResponseBytes: 20 }), { message: /longer than 20 bytes$/ })
  const asked: string[] = []
  const fetchLogged = async (address: string, init: RequestInit) => {
    asked.push(address)
    return fetch(address, init)
  }
  await at('2026-05-01T12:00:00Z', { fetch: fetchLogged })
  t.match(asked, [new RegExp(`^${url}`)])
})

t.test('nobody there is an outage', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  server.close()
  await once(server, 'close')
  const store = introspectionIdentityStore({ baseURL: url })
  await t.rejects(find(store, 'tok_1'), { message: /ECONNREFUSED/ })
  t.match(await store.check?.(), [/^Better Auth cannot be asked \(.*ECONNREFUSED.*\): start it, or correct baseURL\.$/])
})

t.test('who answers everybody with a session is not asked at all', async t => {
  const store = introspectionIdentityStore({ baseURL: await serve(t, json(good)) })
  t.match(await store.check?.(), [/knows a session without a credential: is that Better Auth\?$/])
})

t.test('options that cannot work are refused', async t => {
  const cases = [
    { options: { baseURL: 'auth.example.com' }, says: /expected an address/ },
    { options: { baseURL: 'ftp://auth.example.com' }, says: /expected http or https/ },
    { options: { baseURL: 'https://me:pw@auth.example.com' }, says: /user name or password/ },
    { options: { baseURL: 'https://auth.example.com/?a=b' }, says: /query or fragment/ },
    { options: { baseURL: 'https://auth.example.com', secret: '' }, says: /secret: empty/ },
    { options: { baseURL: 'https://auth.example.com', cookieName: 'sid' }, says: /needs the secret/ },
    {
      options: { baseURL: 'https://auth.example.com', secret: SECRET, cookieName: 'a=b; c' },
      says: /not a cookie name/
    }
  ]
  for (const { options, says } of cases) {
    t.throws(() => introspectionIdentityStore(options), { name: 'TypeError', message: says })
  }
})

type Answer = (request: IncomingMessage, reply: ServerResponse) => unknown

function json(value: unknown): Answer {
  return status(200, JSON.stringify(value))
}

function status(code: number, body: string): Answer {
  return (_, reply) => reply.writeHead(code, { 'content-type': 'application/json' }).end(body)
}

function flood(reply: ServerResponse): void {
  const more = () => {
    while (!reply.destroyed && reply.write('x'.repeat(65_536)));
  }
  reply.writeHead(200).on('drain', more)
  more()
}

function bomb(reply: ServerResponse): void {
  reply.writeHead(200, { 'content-encoding': 'gzip' }).end(PACKED)
}

async function serve(t: Test, answer: Answer): Promise<string> {
  const server = createServer((request, reply) => void answer(request, reply)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
