import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import cors from '@fastify/cors'
import fastifyJwt from '@fastify/jwt'
import postgres from '@fastify/postgres'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import betterAuthUser, { type BetterAuthUserOptions, currentUser } from 'fastify-better-auth-user'
import t from 'tap'
import { SECRET, startBetterAuth } from '../fixtures/better-auth.ts'

const betterAuth = await startBetterAuth(t)
const ada = await betterAuth.signUp('Ada Lovelace')
const grace = await betterAuth.signUp('Grace Hopper')
const { connectionString } = betterAuth
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const BARE = 'Bearer realm="api"'
const INVALID = 'Bearer realm="api", error="invalid_token"'

type Test = { teardown(end: () => Promise<void>): void }

/** An application with Postgres and the plugin; `setUp` comes after them, `before` between. */
async function build(
  t: Test,
  options: BetterAuthUserOptions,
  setUp: (app: FastifyInstance) => unknown,
  {
    server = {},
    before = async () => {}
  }: { server?: FastifyServerOptions; before?: (app: FastifyInstance) => Promise<unknown> } = {}
) {
  const app = Fastify(server) as FastifyInstance
  t.teardown(() => app.close())
  await app.register(postgres, { connectionString })
  await before(app)
  await app.register(betterAuthUser, { secret: SECRET, ...options })
  await setUp(app)
  await app.ready()
  return app
}

const HOOKS = ['preHandler', 'onRequest'] as const

for (const hook of HOOKS) {
  t.test(`${hook}: HEAD is guarded like the GET it stands for`, async t => {
    const app = await build(t, { hook, auth: 'required' }, app => {
      app.get('/by-config', async request => currentUser(request))
      app.get('/by-guard', { onRequest: app.requireUser(), config: { auth: 'optional' } }, async request =>
        currentUser(request)
      )
    })
    for (const url of ['/by-config', '/by-guard']) {
      const stranger = await app.inject({ method: 'HEAD', url })
      t.match(stranger, { statusCode: 401, headers: { 'www-authenticate': BARE } })
      t.match(await app.inject({ method: 'HEAD', url, headers: bearer('nope') }), {
        statusCode: 401,
        headers: { 'www-authenticate': INVALID }
      })
      t.equal((await app.inject({ method: 'HEAD', url, headers: bearer(ada.token) })).statusCode, 200)
    }
  })

  t.test(`${hook}: an unknown address is a 404, unless its handler is guarded`, async t => {
    const plain = await build(t, { hook, auth: 'required' }, app => app.get('/known', async () => 'ok'))
    for (const headers of [{}, bearer('nope'), bearer(ada.token)]) {
      t.equal((await plain.inject({ url: '/unknown', headers })).statusCode, 404)
      t.equal((await plain.inject({ url: '/known/%zz', headers })).statusCode, 400)
    }
    t.equal((await plain.inject('/known')).statusCode, 401)
    const own = await build(t, { hook, auth: 'required' }, app => {
      app.setNotFoundHandler(async (request, reply) => reply.code(404).send({ user: request.user }))
      app.get('/gives-up', (_request, reply) => reply.callNotFound())
      app.register(
        async child => {
          child.setNotFoundHandler({ preHandler: child.requireUser() }, async (request, reply) =>
            reply.code(404).send(currentUser(request))
          )
        },
        { prefix: '/private' }
      )
    })
    t.same((await own.inject({ url: '/unknown', headers: bearer('nope') })).json(), { user: null })
    t.match(await own.inject('/private/unknown'), { statusCode: 401, headers: { 'www-authenticate': BARE } })
    t.match((await own.inject({ url: '/private/unknown', headers: bearer(ada.token) })).json(), { id: ada.user.id })
    t.equal((await own.inject('/gives-up')).statusCode, 401, 'a route that gives up is a route until then')
    t.equal((await own.inject({ url: '/gives-up', headers: bearer(ada.token) })).statusCode, 404)
  })

  t.test(`${hook}: a preflight is let through to whoever answers preflights, and to nobody else`, async t => {
    const preflight = { origin: 'https://evil.example', 'access-control-request-method': 'GET' }
    const app = await build(t, { hook, auth: 'required' }, app => {
      app.all('/everything', async request => ({ user: request.user, secret: 'harvest date' }))
      app.options('/options', async () => ({ secret: 'harvest date' }))
      app.options('/open', { config: { auth: false } }, async () => 'ok')
    })
    for (const url of ['/everything', '/options']) {
      for (const headers of [{}, preflight, { ...preflight, ...bearer('nope') }, { origin: 'https://evil.example' }]) {
        const reply = await app.inject({ method: 'OPTIONS', url, headers })
        t.equal(reply.statusCode, 401, `${url} ${Object.keys(headers)}`)
        t.notMatch(reply.body, 'harvest date')
      }
      t.equal(
        (await app.inject({ method: 'OPTIONS', url, headers: { ...preflight, ...bearer(ada.token) } })).statusCode,
        200
      )
    }
    t.equal((await app.inject({ method: 'OPTIONS', url: '/open', headers: preflight })).statusCode, 200)
  })

  for (const order of ['before', 'after'] as const) {
    t.test(`${hook}: @fastify/cors ${order} the plugin`, async t => {
      const useCors = async (app: FastifyInstance) =>
        app.register(cors, { origin: ['https://app.example.com'], credentials: true })
      const app = await build(
        t,
        { hook, auth: 'required', trustedOrigins: ['https://app.example.com'] },
        async app => {
          if (order === 'after') await useCors(app)
          app.get('/me', async request => currentUser(request))
          app.post('/me', { onRequest: app.requireUser() }, async request => currentUser(request))
        },
        { before: async app => (order === 'before' ? useCors(app) : undefined) }
      )
      const origin = 'https://app.example.com'
      const preflight = await app.inject({
        method: 'OPTIONS',
        url: '/me',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }
      })
      t.equal(preflight.statusCode, 204)
      t.equal(preflight.headers['access-control-allow-origin'], origin)
      const allowed = await app.inject({ url: '/me', headers: { origin, ...bearer(ada.token) } })
      t.match(allowed, { statusCode: 200, headers: { 'access-control-allow-origin': origin } })
      const stranger = await app.inject({ url: '/me', headers: { origin } })
      t.match(stranger, { statusCode: 401, headers: { 'www-authenticate': BARE } })
      // An onRequest hook before that of @fastify/cors answers without its headers.
      if (!(order === 'after' && hook === 'onRequest')) t.equal(stranger.headers['access-control-allow-origin'], origin)
      const posted = await app.inject({ method: 'POST', url: '/me', headers: { origin, cookie: ada.cookie } })
      t.equal(posted.statusCode, 200)
      const foreign = await app.inject({
        method: 'POST',
        url: '/me',
        headers: { origin: 'https://evil.example', cookie: ada.cookie }
      })
      t.equal(foreign.statusCode, 403)
    })
  }

  t.test(`${hook}: what a route or scope asks for is what it gets`, async t => {
    const app = await build(t, { hook }, app => {
      app.get('/none', { config: { auth: false } }, async request => ({
        user: request.user,
        session: request.authSession,
        grant: request.authGrant
      }))
      app.get('/optional', async request => ({ user: request.user }))
      app.get('/required', { config: { auth: 'required' } }, async request => currentUser(request))
      app.register(async child => {
        child.setAuthMode('required')
        child.get('/scoped', async request => currentUser(request))
        child.get('/said-nothing', { config: { auth: undefined } as object }, async request => ({ user: request.user }))
        child.get('/but-open', { config: { auth: false } }, async request => ({ user: request.user }))
        child.register(async grandchild => grandchild.get('/deep', async request => currentUser(request)))
      })
      app.get('/beside', async request => ({ user: request.user }))
    })
    const statusOf = async (url: string, headers = {}) => (await app.inject({ url, headers })).statusCode
    for (const url of ['/required', '/scoped', '/said-nothing', '/deep']) {
      t.equal(await statusOf(url), 401, url)
      t.equal(await statusOf(url, bearer('nope')), 401, url)
      t.equal(await statusOf(url, bearer(ada.token)), 200, url)
    }
    for (const url of ['/optional', '/beside']) {
      t.equal(await statusOf(url), 200, url)
      t.equal(await statusOf(url, bearer('nope')), 401, url)
    }
    for (const url of ['/none', '/but-open']) t.equal(await statusOf(url, bearer('nope')), 200, url)
    t.same((await app.inject({ url: '/none', headers: bearer(ada.token) })).json(), {
      user: null,
      session: null,
      grant: null
    })
  })
}

t.test('a misspelled mode is heard of at start, not by a stranger who gets in', async t => {
  for (const auth of ['require', 'Required', 'reqired', true, 1, '', null, {}] as unknown[]) {
    const app = Fastify()
    await app.register(betterAuthUser, { secret: SECRET, identityStore: { find: async () => null } })
    t.throws(
      () => app.get('/', { config: { auth } as object }, async () => 'ok'),
      { name: 'TypeError', message: /auth/ },
      `a route with ${JSON.stringify(auth)}`
    )
    t.throws(
      () => app.setAuthMode(auth as 'required'),
      { name: 'TypeError', message: /auth/ },
      `a scope with ${JSON.stringify(auth)}`
    )
    await app.close()
  }
})

t.test('a mode that came to a route behind our back closes it', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  // Added before the plugin, so it sees the route after no check of ours.
  app.get('/early', { config: { auth: 'reqired' } as object }, async () => 'ok')
  await app.register(betterAuthUser, { secret: SECRET, identityStore: { find: async () => null } })
  t.equal((await app.inject('/early')).statusCode, 401)
})

t.test('siblings know nothing of each other', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(postgres, { connectionString })
  await app.register(async left => {
    await left.register(betterAuthUser, { secret: SECRET, realm: 'left', auth: 'required' })
    left.get('/left', async request => currentUser(request))
  })
  await app.register(async right => {
    await right.register(betterAuthUser, {
      secret: 'Jq3vT8yB1nM6kP0sD4fG7hL2zX5cW9aR',
      realm: 'right',
      auth: 'required',
      cookie: false
    })
    right.get('/right', async request => currentUser(request))
  })
  app.get('/outside', async request => ({ user: String((request as { user?: unknown }).user) }))
  app.get('/careless', async request => currentUser(request))
  await app.ready()
  t.equal((await app.inject('/left')).headers['www-authenticate'], 'Bearer realm="left"')
  t.equal((await app.inject('/right')).headers['www-authenticate'], 'Bearer realm="right"')
  t.equal((await app.inject({ url: '/left', headers: bearer(ada.signedToken) })).statusCode, 200)
  t.equal((await app.inject({ url: '/right', headers: bearer(ada.signedToken) })).statusCode, 401, 'another secret')
  t.equal((await app.inject({ url: '/left', headers: { cookie: ada.cookie } })).statusCode, 200)
  t.equal((await app.inject({ url: '/right', headers: { cookie: ada.cookie } })).statusCode, 401, 'no cookies there')
  t.same((await app.inject({ url: '/outside', headers: bearer(ada.token) })).json(), { user: 'undefined' })
  const careless = await app.inject({ url: '/careless', headers: bearer(ada.token) })
  t.match(
    careless.json(),
    { statusCode: 500, code: 'FST_BAU_NOT_REGISTERED' },
    'asking where nobody looked is a bug, and nobody gets in'
  )
})

t.test('twice in one scope, or below itself, is one too many', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  const options = { secret: SECRET, identityStore: { find: async () => null } }
  await app.register(betterAuthUser, options)
  await t.rejects(async () => app.register(async child => child.register(betterAuthUser, options)), {
    name: 'TypeError',
    message: /request\.user is taken/
  })
})

t.test('an application with a @fastify/jwt of its own', async t => {
  const own = { secret: 'the secret of the application itself', decoratorName: 'jwtPayload' }
  const routes = (app: FastifyInstance) => {
    app.get('/me', { onRequest: app.requireUser() }, async request => currentUser(request))
    app.get('/own', async request => ({ own: await request.jwtVerify(), user: request.user }))
  }
  for (const order of ['before', 'after'] as const) {
    const app = await build(
      t,
      { hs256: true, auth: false },
      async app => {
        if (order === 'after') await app.register(fastifyJwt, own)
        routes(app)
      },
      { before: async app => (order === 'before' ? app.register(fastifyJwt, own) : undefined) }
    )
    const theirs = app.jwt.sign({ sub: ada.user.id }, { expiresIn: '1m' })
    t.equal(
      (await app.inject({ url: '/me', headers: bearer(theirs) })).statusCode,
      401,
      `${order}: their tokens are not ours`
    )
    t.match((await app.inject({ url: '/own', headers: bearer(theirs) })).json(), {
      own: { sub: ada.user.id },
      user: null
    })
    t.equal((await app.inject({ url: '/me', headers: bearer(ada.token) })).statusCode, 200)
  }
  const taken = Fastify()
  t.teardown(() => taken.close())
  await taken.register(fastifyJwt, { secret: own.secret })
  await t.rejects(
    async () => taken.register(betterAuthUser, { secret: SECRET, identityStore: { find: async () => null } }),
    {
      name: 'TypeError',
      message: /request\.user is taken.*decoratorName/
    }
  )
})

t.test('a custom error handler keeps what the standard asks for', async t => {
  const app = await build(t, { auth: 'required' }, app => {
    app.setErrorHandler(async (error: Error, _request, reply) => reply.code(401).send({ oops: error.message }))
    app.get('/', async () => 'ok')
  })
  t.match(await app.inject('/'), { statusCode: 401, headers: { 'www-authenticate': BARE } })
  t.match(await app.inject({ url: '/', headers: bearer('nope') }), {
    statusCode: 401,
    headers: { 'www-authenticate': INVALID }
  })
  const away = Fastify()
  t.teardown(() => away.close())
  const outage = new Error('connect ECONNREFUSED postgres://app:hunter2@db')
  await away.register(betterAuthUser, { secret: SECRET, identityStore: { find: async () => Promise.reject(outage) } })
  away.setErrorHandler(async (error: { statusCode?: number; message: string }, _request, reply) =>
    reply.code(error.statusCode ?? 500).send({ oops: error.message })
  )
  away.get('/', async () => 'ok')
  const reply = await away.inject({ url: '/', headers: bearer('x') })
  t.match(reply, { statusCode: 503, headers: { 'retry-after': '1' } })
  t.notMatch(reply.body, /hunter2|ECONNREFUSED/)
})

t.test('a 401 from a handler carries the challenge, too', async t => {
  const app = await build(t, { realm: 'shop' }, app => {
    app.get('/', async request => currentUser(request))
    app.register(async child => {
      child.setErrorHandler(async (error: { statusCode?: number }, _request, reply) =>
        reply.code(error.statusCode ?? 500).send({})
      )
      child.get('/child', async request => currentUser(request))
    })
  })
  for (const url of ['/', '/child']) {
    t.match(await app.inject(url), { statusCode: 401, headers: { 'www-authenticate': 'Bearer realm="shop"' } }, url)
  }
})

t.test("a route's own 401 schema may empty the body, not the answer", async t => {
  const narrow = { response: { 401: { type: 'object', properties: { reason: { type: 'string' } } } } }
  const shared = { response: { 401: { $ref: 'BetterAuthUserError#' } } }
  const app = await build(t, { auth: 'required', openapi: true }, app => {
    app.get('/narrow', { schema: narrow }, async () => 'ok')
    app.get('/shared', { schema: shared }, async () => 'ok')
  })
  t.match(await app.inject({ url: '/narrow', headers: bearer('nope') }), {
    statusCode: 401,
    headers: { 'www-authenticate': INVALID },
    body: '{}'
  })
  t.match((await app.inject({ url: '/shared', headers: bearer('nope') })).json(), {
    statusCode: 401,
    code: 'FST_BAU_CREDENTIAL_INVALID'
  })
})

t.test("a stranger's body is not read where the guard comes first", async t => {
  let read = 0
  const app = await build(t, {}, app => {
    app.addContentTypeParser('application/x-count', (_request, _payload, done) => {
      read++
      done(null, {})
    })
    app.post('/', { onRequest: app.requireUser() }, async () => 'ok')
  })
  const post = (headers: Record<string, string>, payload: string) =>
    app.inject({ method: 'POST', url: '/', headers, payload })
  t.equal((await post({ 'content-type': 'application/json' }, '{')).statusCode, 401)
  t.equal((await post({ 'content-type': 'application/json' }, `"${'x'.repeat(2 ** 21)}"`)).statusCode, 401)
  t.equal((await post({ 'content-type': 'application/x-count' }, 'x')).statusCode, 401)
  t.equal(read, 0)
  t.equal((await post({ 'content-type': 'application/x-count', ...bearer(ada.token) }, 'x')).statusCode, 200)
  t.equal(read, 1)
})

t.test('callers on one connection do not become each other', async t => {
  const app = await build(t, {}, app => app.get('/', async request => ({ id: request.user?.id ?? null })))
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const callers = [
    { headers: bearer(ada.token), status: 200, body: { id: ada.user.id } },
    { headers: {}, status: 200, body: { id: null } },
    { headers: { cookie: grace.cookie }, status: 200, body: { id: grace.user.id } },
    { headers: bearer('nope'), status: 401, body: { code: 'FST_BAU_CREDENTIAL_INVALID' } }
  ]
  const seen = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const { headers, status, body } = callers[index % callers.length] as (typeof callers)[number]
      const reply = await fetch(address, { headers: headers as Record<string, string> })
      const json = (await reply.json()) as Record<string, unknown>
      return reply.status === status && Object.entries(body).every(([name, value]) => json[name] === value)
    })
  )
  t.same(new Set(seen), new Set([true]))
})

t.test('a proxy, or whoever pretends to be one, decides nothing', async t => {
  const app = await build(
    t,
    {},
    app => app.post('/', { onRequest: app.requireUser() }, async request => currentUser(request)),
    {
      server: { trustProxy: true }
    }
  )
  const forwarded = {
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '127.0.0.1',
    forwarded: 'host=evil.example'
  }
  const foreign = await app.inject({
    method: 'POST',
    url: '/',
    headers: { cookie: ada.cookie, origin: 'https://evil.example', ...forwarded }
  })
  t.equal(foreign.statusCode, 403)
  const plain = ada.cookie.replace('better-auth.session_token', '__Secure-better-auth.session_token')
  t.equal(
    (await app.inject({ method: 'POST', url: '/', headers: { cookie: plain, 'x-forwarded-proto': 'http' } }))
      .statusCode,
    200
  )
})

t.test('another spelling of an address is no way around', async t => {
  const app = await build(
    t,
    { auth: 'required' },
    app => app.get('/private/area', async request => currentUser(request)),
    {
      server: {
        routerOptions: {
          ignoreDuplicateSlashes: true,
          ignoreTrailingSlash: true,
          caseSensitive: false
        }
      }
    }
  )
  for (const url of ['//private//area', '/PRIVATE/area/', '/private/%61rea', '/private/area?x', '/private/area#x']) {
    t.equal((await app.inject(url)).statusCode, 401, url)
    t.equal((await app.inject({ url, headers: bearer(ada.token) })).statusCode, 200, url)
  }
  for (const url of [
    '/private/../private/area',
    '/./private/area',
    '/private/area/..;/area',
    '/private%2farea',
    '/private/area%00'
  ]) {
    t.not((await app.inject(url)).statusCode, 200, url)
  }
})

t.test('hooks of the application that fail let nobody in', async t => {
  const failing = { onAuthenticated: () => Promise.reject(new Error('a bug of the application')) }
  const app = await build(t, { auth: 'required', ...failing }, app => app.get('/', async () => 'ok'))
  t.equal((await app.inject({ url: '/', headers: bearer(ada.token) })).statusCode, 500)
  const rejecting = { onRejected: () => Promise.reject(new Error('a bug of the application')) }
  const other = await build(t, { auth: 'required', ...rejecting }, app => app.get('/', async () => 'ok'))
  t.equal((await other.inject({ url: '/', headers: bearer('nope') })).statusCode, 500)
  t.equal((await other.inject({ url: '/', headers: bearer(ada.token) })).statusCode, 200)
})

for (const hook of HOOKS) {
  t.test(`${hook}: a WebSocket is refused before it is one`, async t => {
    let opened = 0
    const app = await build(
      t,
      { hook, trustedOrigins: ['https://app.example.com'], token: { query: 'access_token' } },
      app => {
        const live = { websocket: true } as const
        app.get('/guarded', { ...live, onRequest: app.requireUser() }, (socket, request) => {
          opened++
          socket.send(currentUser(request).id)
        })
        app.get('/required', { ...live, config: { auth: 'required' } }, (socket, request) => {
          opened++
          socket.send(currentUser(request).id)
        })
      },
      { before: async app => app.register(websocket) }
    )
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    const own = `http://127.0.0.1:${port}`
    const signed = encodeURIComponent(ada.signedToken)
    for (const path of ['/guarded', '/required']) {
      const refused: [string, number, Record<string, string>, string?][] = [
        ['nobody', 401, {}],
        ['a bad token', 401, bearer('nope')],
        ['two tokens', 400, bearer('a b')],
        ['a forged cookie', 401, { cookie: 'better-auth.session_token=x.y' }],
        ['a bad token in the address', 401, {}, '?access_token=nope'],
        ["a user's cookie, opened by another page", 403, { cookie: ada.cookie, origin: 'https://evil.example' }],
        ["a user's cookie, opened by a sandboxed frame", 403, { cookie: ada.cookie, origin: 'null' }],
        [
          "a user's cookie, from a page of this host without TLS",
          403,
          { cookie: ada.cookie, origin: own, 'sec-fetch-site': 'cross-site' }
        ]
      ]
      for (const [what, status, headers, query = ''] of refused) {
        const { statusCode, message } = await upgrade(port, path + query, headers)
        t.equal(statusCode, status, `${path}: ${what}`)
        t.equal(message, null)
      }
      t.equal(opened, 0, 'no handler saw any of them')
      const welcome: [string, Record<string, string>, string?][] = [
        ['a token', bearer(ada.token)],
        ['a token from any page', { ...bearer(ada.token), origin: 'https://evil.example' }],
        ['a cookie, opened by no browser', { cookie: ada.cookie }],
        ['a cookie from our own page', { cookie: ada.cookie, origin: own }],
        ['a cookie from a trusted page', { cookie: ada.cookie, origin: 'https://app.example.com' }],
        ['a token in the address', {}, `?access_token=${signed}`]
      ]
      for (const [what, headers, query = ''] of welcome) {
        const { statusCode, message } = await upgrade(port, path + query, headers)
        t.equal(statusCode, 101, `${path}: ${what}`)
        t.equal(message, ada.user.id)
      }
      t.equal(opened, welcome.length)
      opened = 0
    }
  })
}

/** Asks for an upgrade: its status, and the first message when there was one. */
async function upgrade(
  port: number,
  path: string,
  headers: Record<string, string>
): Promise<{ statusCode: number; message: string | null }> {
  const request = httpRequest({
    port,
    host: '127.0.0.1',
    path,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers
    }
  })
  request.end()
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.on('response', reply => {
      resolve({ statusCode: reply.statusCode ?? 0, message: null })
      reply.destroy()
    })
    request.on('upgrade', async (reply, socket, head) => {
      const frame = head.length > 0 ? head : ((await once(socket, 'data'))[0] as Buffer)
      resolve({ statusCode: reply.statusCode ?? 0, message: frame.subarray(2).toString() })
      socket.destroy()
    })
  })
}
