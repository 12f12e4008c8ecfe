import Fastify, { type FastifyInstance } from 'fastify'
import betterAuthUser from 'fastify-better-auth-user'
import t from 'tap'
import { type Attack, accepts, refuses } from '../fixtures/attack.ts'
import { SECRET } from '../fixtures/better-auth.ts'
import { buildTarget, openTarget } from '../fixtures/target.ts'

// A page of another origin makes the browser of a signed-in user send something. The cookie comes along by itself.
const TRUSTED = ['https://app.example.com', 'http://localhost:5173/', 'capacitor://localhost']
const target = await openTarget(t, { options: () => ({ trustedOrigins: TRUSTED, token: { header: 'x-token' } }) })
const { ada, betterAuth } = target
const { cookie } = ada
// What inject() sends as Host.
const own = 'http://localhost:80'

const FOREIGN: [string, Record<string, string>][] = [
  ['another site', { origin: 'https://evil.example' }],
  ['another site, as Chrome says it', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ['no origin, but the browser knows of a site', { 'sec-fetch-site': 'cross-site' }],
  ['no origin, a sibling', { 'sec-fetch-site': 'same-site' }],
  ['a sandboxed frame', { origin: 'null' }],
  ['a file or a data: address', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
  ['an empty origin', { origin: '' }],
  ['a sibling domain of a trusted one', { origin: 'https://evil.app.example.com' }],
  ['a parent domain of a trusted one', { origin: 'https://example.com' }],
  ['a trusted one with more behind it', { origin: 'https://app.example.com.evil.example' }],
  ['a trusted one as user name', { origin: 'https://app.example.com@evil.example' }],
  ['a trusted one without TLS', { origin: 'http://app.example.com' }],
  ['a trusted one on another port', { origin: 'https://app.example.com:8443' }],
  ['a trusted one and another', { origin: 'https://app.example.com, https://evil.example' }],
  ['a trusted one and a slash', { origin: 'https://app.example.com/' }],
  ['a trusted one in upper case', { origin: 'HTTPS://APP.EXAMPLE.COM' }],
  ['a trusted one with another letter', { origin: 'https://аpp.example.com' }],
  ['another scheme on a trusted host', { origin: 'ionic://localhost' }],
  ['another host under a trusted scheme', { origin: 'capacitor://evil' }],
  ['our host under another scheme', { origin: 'ftp://localhost:80' }],
  ['our host on another port', { origin: 'http://localhost:8080' }],
  ['our host without its port', { origin: 'http://localhost' }],
  ['our host with a path', { origin: `${own}/x` }],
  ['our host as user name', { origin: 'http://localhost:80@evil.example' }],
  ['our own host, the page without TLS', { origin: own, 'sec-fetch-site': 'cross-site' }],
  ['our own host, a sibling by the browser', { origin: own, 'sec-fetch-site': 'same-site' }],
  ['our own host, and nonsense', { origin: own, 'sec-fetch-site': 'same-origin, cross-site' }]
]
const HOME: [string, Record<string, string>][] = [
  ['no browser', {}],
  ['a trusted origin', { origin: 'https://app.example.com' }],
  ['a trusted origin of another site', { origin: 'https://app.example.com', 'sec-fetch-site': 'cross-site' }],
  ['a trusted origin with a port', { origin: 'http://localhost:5173', 'sec-fetch-site': 'same-site' }],
  ['an app in its own scheme', { origin: 'capacitor://localhost' }],
  ['our own origin', { origin: own }],
  ['our own origin, as the browser says', { origin: own, 'sec-fetch-site': 'same-origin' }],
  [
    'our own origin by the browser, behind a proxy that changes Host',
    { origin: 'https://api.example.com', 'sec-fetch-site': 'same-origin' }
  ],
  ['our own origin in another case', { origin: 'http://LOCALHOST:80' }],
  ['no origin, the same by the browser', { 'sec-fetch-site': 'same-origin' }],
  ['somebody typed the address', { 'sec-fetch-site': 'none' }]
]

t.test('a cookie proves nothing in a request another page made', async t => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
    await refuses(
      t,
      target,
      FOREIGN.map(
        ([what, headers]): Attack => ({
          why: `${method}: ${what}`,
          method,
          headers: { cookie, ...headers },
          status: 403
        })
      )
    )
    await accepts(
      t,
      target,
      HOME.map(([what, headers]) => ({ why: `${method}: ${what}`, method, headers: { cookie, ...headers } }))
    )
  }
})

t.test('a WebSocket is opened across origins without asking, so its cookie proves nothing either', async t => {
  const upgrade = { upgrade: 'websocket', connection: 'Upgrade' }
  await refuses(
    t,
    target,
    FOREIGN.map(([what, headers]): Attack => ({ why: what, headers: { cookie, ...upgrade, ...headers }, status: 403 }))
  )
  await accepts(
    t,
    target,
    HOME.map(([what, headers]) => ({ why: what, headers: { cookie, ...upgrade, ...headers } }))
  )
})

t.test('what no page can attach needs no origin, and what changes nothing neither', async t => {
  const evil = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  await accepts(t, target, [
    { why: 'GET', headers: { cookie, ...evil } },
    { why: 'OPTIONS', method: 'OPTIONS', headers: { cookie, ...evil } },
    { why: 'POST with a token', method: 'POST', bearer: ada.token, headers: evil },
    { why: 'POST with a signed token', method: 'POST', bearer: ada.signedToken, headers: evil },
    { why: 'POST with a JWT', method: 'POST', bearer: target.token('EdDSA'), headers: evil },
    { why: 'POST with a token in a header of its own', method: 'POST', headers: { 'x-token': ada.token, ...evil } },
    { why: 'POST with a token beside the cookie', method: 'POST', bearer: ada.token, headers: { cookie, ...evil } }
  ])
  await refuses(t, target, [
    {
      why: 'a bad cookie from another page is not verified first',
      method: 'POST',
      headers: { cookie: 'better-auth.session_token=x.y', ...evil },
      status: 403
    },
    {
      why: 'the cookie of another scheme beside it',
      method: 'POST',
      headers: { cookie, authorization: 'Basic YTpi', ...evil },
      status: 403
    }
  ])
})

t.test('a form sent by another page is refused before its body is read', async t => {
  const reply = await target.app.inject({
    method: 'POST',
    url: '/me',
    headers: { cookie, origin: 'https://evil.example', 'content-type': 'text/plain' },
    payload: '{"amount":1e6}'
  })
  t.equal(reply.statusCode, 403)
  t.equal(reply.json().code, 'FST_BAU_ORIGIN_REFUSED')
  t.notOk(reply.body.includes('evil'), 'and nothing of it comes back')
})

t.test('nobody is trusted by default, everybody by a star', async t => {
  const ask = (app: FastifyInstance, origin: string) =>
    app.inject({ method: 'POST', url: '/me', headers: { cookie, origin } })
  const alone = await buildTarget(t, betterAuth.connectionString, {})
  t.equal((await ask(alone, 'https://app.example.com')).statusCode, 403)
  t.equal((await ask(alone, 'null')).statusCode, 403)
  t.equal((await ask(alone, own)).statusCode, 200)
  const open = await buildTarget(t, betterAuth.connectionString, { trustedOrigins: ['*'] })
  t.equal((await ask(open, 'https://evil.example')).statusCode, 200)
})

t.test('origins that cannot be compared are refused at start', async t => {
  for (const [what, trustedOrigins] of Object.entries({
    null: ['null'],
    'an empty text': [''],
    'a host alone': ['app.example.com'],
    'a host and a port': ['localhost:3000'],
    'a pattern of hosts': ['https://*.example.com'],
    'a pattern of ports': ['http://localhost:*'],
    'a file': ['file:///index.html'],
    'a data: address': ['data:text/html,x'],
    'a scheme alone': ['myapp://'],
    'an address with a password': ['https://user:password@app.example.com'],
    'a text instead of a list': 'https://app.example.com',
    'a regular expression': [/example/],
    'a list in a list': [['https://app.example.com']],
    nothing: [undefined]
  })) {
    const options = { secret: SECRET, identityStore: { find: async () => null }, trustedOrigins } as object
    await t.rejects(
      async () => Fastify().register(betterAuthUser, options),
      { name: 'TypeError', message: /^trustedOrigins: / },
      what
    )
  }
})

t.test('the same over HTTP/2, where the host goes by another name', async t => {
  const { connect } = await import('node:http2')
  const app = await buildTarget(t, betterAuth.connectionString, {}, { server: { http2: true } as object })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const client = connect(address)
  t.teardown(async () => client.destroy())
  const statusOf = (headers: Record<string, string>) =>
    new Promise(resolve => {
      const stream = client.request({ ':method': 'POST', ':path': '/me', cookie, ...headers })
      stream.on('response', reply => resolve(reply[':status']))
      stream.end()
    })
  t.equal(await statusOf({ origin: address }), 200)
  t.equal(await statusOf({}), 200)
  t.equal(await statusOf({ origin: 'https://evil.example' }), 403)
  t.equal(await statusOf({ 'sec-fetch-site': 'cross-site' }), 403)
})
