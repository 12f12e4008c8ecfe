import { admin, bearer, jwt, organization } from 'better-auth/plugins'
import Fastify, { type FastifyInstance } from 'fastify'
import betterAuthUser, { currentUser, type Guard } from 'fastify-better-auth-user'
import { buildSignedInApp, type MemoryIdentityStore, memoryIdentityStore } from 'fastify-better-auth-user/testing'
import { SignJWT } from 'jose'
import t from 'tap'
import { SECRET, type SignedIn, startBetterAuth } from '../fixtures/better-auth.ts'
import { buildApp } from '../fixtures/build-app.ts'

t.test('guards, on a real Better Auth with its admin and organization plugins', async t => {
  const server = await startBetterAuth(t, { plugins: [bearer(), jwt(), admin(), organization()] })
  const ada = await server.signUp('Ada Lovelace')
  const bob = await server.signUp('Bob Burns')
  const eve = await server.signUp('Eve Moneypenny')
  await server.pool.query(`update "user" set role = 'user,admin' where id = $1`, [bob.user.id])
  await server.pool.query(`update "user" set role = 'not-admin' where id = $1`, [eve.user.id])
  const created = await server.post('/organization/create', { name: 'Acme', slug: 'acme' }, { cookie: ada.cookie })
  const { id: acme } = (await created.json()) as { id: string }
  await server.pool.query(
    `insert into member (id, "organizationId", "userId", role, "createdAt") values ('m2', $1, $2, 'member', now())`,
    [acme, bob.user.id]
  )

  const app = await buildApp(t, server.connectionString, {}, app => {
    const routes = {
      '/own/:userId': app.requireOwnUser(),
      '/own-or-admin/:id': app.requireOwnUser('id', { orRole: 'admin' }),
      '/admin': app.requireRole('admin'),
      '/staff': app.requireRole(['staff', 'admin']),
      '/orgs/:organizationId': app.requireOrganization(),
      '/orgs/:org/settings': app.requireOrganization({ param: 'org', role: ['owner', 'admin'] }),
      '/fresh': app.requireFreshSession({ maxAge: 600 }),
      '/verified': app.requireVerifiedEmail(),
      '/optional': app.optionalUser()
    }
    for (const [url, guard] of Object.entries(routes)) {
      app.get(url, { onRequest: guard, config: { auth: false } }, async request => ({ id: request.user?.id ?? null }))
      app.get(`/late${url}`, { preHandler: guard }, async request => ({ id: request.user?.id ?? null }))
    }
    app.get('/both/:userId', { onRequest: [app.requireOwnUser(), app.requireRole('admin')] }, async () => 'ok')
  })
  const as = (user: SignedIn | null) => (user === null ? {} : { authorization: `Bearer ${user.token}` })

  const cases: [string, SignedIn | null, number, string?][] = [
    [`/own/${ada.user.id}`, ada, 200],
    [`/own/${ada.user.id}`, bob, 403, 'FST_BAU_NOT_OWN_USER'],
    [`/own/${ada.user.id}`, null, 401, 'FST_BAU_CREDENTIAL_MISSING'],
    [`/own-or-admin/${ada.user.id}`, ada, 200],
    [`/own-or-admin/${ada.user.id}`, bob, 200],
    [`/own-or-admin/${ada.user.id}`, eve, 403, 'FST_BAU_NOT_OWN_USER'],
    ['/admin', bob, 200],
    ['/admin', ada, 403, 'FST_BAU_ROLE_REQUIRED'],
    ['/admin', eve, 403, 'FST_BAU_ROLE_REQUIRED'],
    ['/staff', bob, 200],
    [`/orgs/${acme}`, ada, 200],
    [`/orgs/${acme}`, bob, 200],
    [`/orgs/${acme}`, eve, 403, 'FST_BAU_NOT_A_MEMBER'],
    ['/orgs/other', ada, 403, 'FST_BAU_NOT_A_MEMBER'],
    ['/orgs/%00', ada, 403, 'FST_BAU_NOT_A_MEMBER'],
    [`/orgs/${acme}/settings`, ada, 200],
    // An admin of the application is a plain member here.
    [`/orgs/${acme}/settings`, bob, 403, 'FST_BAU_ROLE_REQUIRED'],
    ['/fresh', ada, 200],
    ['/verified', ada, 403, 'FST_BAU_EMAIL_NOT_VERIFIED'],
    ['/optional', ada, 200],
    ['/optional', null, 200]
  ]
  for (const [url, user, status, code] of cases) {
    for (const path of [url, `/late${url}`]) {
      t.test(
        `${path.replace(ada.user.id, ':ada').replace(acme, ':acme')} as ${user?.user.name ?? 'nobody'}`,
        async t => {
          for (const method of ['GET', 'HEAD'] as const) {
            const reply = await app.inject({ method, url: path, headers: as(user) })
            t.equal(reply.statusCode, status, reply.body)
            if (status === 403) t.match(reply.headers['www-authenticate'], /error="insufficient_scope"/)
            if (method === 'GET' && code) t.equal(reply.json().code, code)
            if (method === 'GET' && status === 200) t.equal(reply.json().id, user?.user.id ?? null)
          }
        }
      )
    }
  }

  t.test('the sentence the seeds ask for', async t => {
    const reply = await app.inject({ url: `/own/${ada.user.id}`, headers: as(bob) })
    t.equal(reply.json().message, 'User ID mismatch: You can only access your own data')
  })

  t.test('several guards are all to be satisfied', async t => {
    for (const [user, id] of [
      [ada, ada],
      [bob, ada]
    ] as const) {
      t.equal((await app.inject({ url: `/both/${id.user.id}`, headers: as(user) })).statusCode, 403)
    }
    t.equal((await app.inject({ url: `/both/${bob.user.id}`, headers: as(bob) })).statusCode, 200)
  })

  t.test('a role that was taken away is gone with the next request', async t => {
    await server.pool.query(`update "user" set role = null where id = $1`, [bob.user.id])
    t.equal((await app.inject({ url: '/admin', headers: as(bob) })).statusCode, 403)
  })

  t.test('an older sign-in must be repeated', async t => {
    const old = await server.signIn('ada@example.com')
    await server.pool.query(`update session set "createdAt" = now() - interval '11 minutes' where token = $1`, [
      old.token
    ])
    const reply = await app.inject({ url: '/fresh', headers: as(old) })
    t.equal(reply.statusCode, 401)
    t.equal(
      reply.headers['www-authenticate'],
      'Bearer realm="api", error="insufficient_user_authentication", max_age="600"'
    )
    t.equal((await app.inject({ url: '/fresh', headers: as(await server.signIn('ada@example.com')) })).statusCode, 200)
  })

  t.test('a token that names no session proves no fresh sign-in', async t => {
    const [anySession, oneSession] = await Promise.all([
      hs256({ sub: ada.user.id }),
      server.pool
        .query(`select id from session where token = $1`, [ada.token])
        .then(({ rows }) => hs256({ sub: ada.user.id, sid: rows[0].id }))
    ])
    t.equal((await app.inject({ url: '/fresh', headers: { authorization: `Bearer ${anySession}` } })).statusCode, 401)
    t.equal((await app.inject({ url: '/fresh', headers: { authorization: `Bearer ${oneSession}` } })).statusCode, 200)
  })
})

t.test('a scope may ask for a user on all its routes, and a route may differ', async t => {
  const server = await startBetterAuth(t)
  const ada = await server.signUp()
  const routes = (scope: FastifyInstance) => {
    scope.get('/a', async request => currentUser(request).name)
    scope.get('/open', { config: { auth: false } }, async request => ({ user: request.user }))
    scope.register(async inner => {
      inner.get('/inner', async () => 'ok')
      inner.setAuthMode('optional').get('/inner-optional', async () => 'ok')
    })
  }
  const app = await buildApp(t, server.connectionString, {}, app => {
    app.register(async scope => routes(scope.setAuthMode('required')), { prefix: '/private' })
    app.register(async scope => routes(scope), { prefix: '/public' })
  })
  const cases: [string, number, number][] = [
    ['/private/a', 401, 200],
    ['/private/open', 200, 200],
    ['/private/inner', 401, 200],
    ['/private/inner-optional', 200, 200],
    ['/public/a', 401, 200],
    ['/public/inner', 200, 200]
  ]
  for (const [url, stranger, user] of cases) {
    t.equal((await app.inject(url)).statusCode, stranger, url)
    t.equal((await app.inject({ url, headers: { cookie: ada.cookie } })).statusCode, user, url)
  }
})

t.test('a parameter that its schema makes a number is the id all the same', async t => {
  const schema = { params: { type: 'object', properties: { userId: { type: 'integer' } } } }
  const { app, headers } = await buildSignedInApp({ user: { id: '7' } })
  const hooks = ['onRequest', 'preHandler'] as const
  for (const hook of hooks) {
    app.get(`/${hook}/:userId`, { schema, [hook]: app.requireOwnUser() }, async () => 'ok')
  }
  for (const hook of hooks) {
    t.equal((await app.inject({ url: `/${hook}/7`, headers })).statusCode, 200, hook)
    t.equal((await app.inject({ url: `/${hook}/8`, headers })).statusCode, 403, hook)
  }
})

t.test('who is let in by one instance is a stranger to the guards of another', async t => {
  const staff = memoryIdentityStore()
  const customers = memoryIdentityStore()
  const bearerOf = (store: MemoryIdentityStore, id: string) => ({
    authorization: `Bearer ${store.addSession(store.addUser({ id }).id).token}`
  })
  const app = Fastify()
  t.teardown(() => app.close())
  let staffOnly: Guard | undefined
  await app.register(async scope => {
    await scope.register(betterAuthUser, { identityStore: staff })
    staffOnly = scope.requireUser()
  })
  await app.register(async scope => {
    await scope.register(betterAuthUser, { identityStore: customers })
    for (const hook of ['onRequest', 'preHandler'] as const) {
      scope.get(`/${hook}`, { [hook]: staffOnly, config: { auth: 'optional' } }, async () => 'ok')
    }
  })
  for (const url of ['/onRequest', '/preHandler']) {
    t.equal((await app.inject({ url, headers: bearerOf(customers, 'a customer') })).statusCode, 401, url)
    t.equal((await app.inject({ url })).statusCode, 401, url)
  }
})

t.test('a guard that was not made answers an error, and lets nobody wait', async t => {
  const { app, headers } = await buildSignedInApp()
  const names = ['optionalUser', 'requireUser', 'requireVerifiedEmail'] as const
  for (const name of names) app.get(`/${name}`, { onRequest: app[name] as never }, async () => 'ok')
  for (const name of names) {
    const reply = await app.inject({ url: `/${name}`, headers })
    t.match(reply.json(), { statusCode: 500, message: `${name} makes a guard and is none itself` })
  }
})

t.test('a guard that cannot work is refused at start', async t => {
  const server = await startBetterAuth(t)
  const app = await buildApp(t, server.connectionString, { checkAtStart: false })
  const mistakes: [() => unknown, RegExp][] = [
    [() => app.requireRole([]), /role/],
    [() => app.requireRole(''), /role/],
    [() => app.requireRole('user,admin'), /role/],
    [() => app.requireOwnUser('userId', { orrole: 'admin' } as object), /unknown option orrole/],
    [() => app.requireOwnUser(':userId'), /route parameter/],
    [() => app.requireOrganization({ roles: 'x' } as object), /unknown option roles/],
    [() => app.requireFreshSession({ maxAge: 0 }), /maxAge/]
  ]
  for (const [make, says] of mistakes) t.throws(make, { name: 'TypeError', message: says })
  await t.rejects(
    buildApp(t, server.connectionString, {}, app => {
      app.get('/users/:id', { onRequest: app.requireOwnUser() }, async () => 'ok')
    }),
    { message: /guarded by its parameter userId/ }
  )
  await t.rejects(
    buildApp(t, server.connectionString, {}, app => {
      app.get('/', { preParsing: app.requireUser() as never }, async () => 'ok')
    }),
    { name: 'TypeError', message: /no place for a guard/ }
  )
})

function hs256(claims: Record<string, unknown>) {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET))
}
