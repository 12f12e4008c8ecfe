import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import betterAuthUser from 'fastify-better-auth-user'
import t from 'tap'

const nobody = { find: async () => null }
const secret = 'k9Xv2mQ7pL4tR8wZ1nB6cY3hF5jD0sGa'

t.test('guarded routes are described, open ones are left alone', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(betterAuthUser, { secret, identityStore: nobody, auth: false, openapi: true })
  const { securitySchemes } = app.betterAuthUser
  await app.register(swagger, { openapi: { info: { title: 'test', version: '1' }, components: { securitySchemes } } })
  app.get('/open', async () => 'ok')
  app.get('/optional', { onRequest: app.optionalUser() }, async () => 'ok')
  app.get('/me', { onRequest: app.requireUser() }, async () => 'ok')
  app.get('/admin', { onRequest: app.requireRole('admin') }, async () => 'ok')
  app.get('/declared', { config: { auth: 'required' } }, async () => 'ok')
  const own = { type: 'object', properties: { mine: { type: 'string' } } }
  app.get('/own', { onRequest: app.requireUser(), schema: { response: { 401: own } } }, async () => 'ok')
  await app.ready()

  const { paths, components } = app.swagger() as unknown as {
    paths: Record<string, { get: { security?: unknown; responses: Record<string, unknown> } }>
    components: { securitySchemes: Record<string, unknown> }
  }
  const any = [{ bearerToken: [] }, { sessionCookie: [] }]
  t.same(Object.keys(components.securitySchemes), ['bearerToken', 'sessionCookie'])
  t.same(paths['/open']?.get.security, undefined)
  t.notOk(paths['/open']?.get.responses['401'])
  t.same(paths['/optional']?.get.security, [{}, ...any])
  t.same(paths['/me']?.get.security, any)
  t.ok(paths['/me']?.get.responses['401'])
  t.notOk(paths['/me']?.get.responses['403'])
  t.ok(paths['/admin']?.get.responses['403'])
  t.same(paths['/declared']?.get.security, any)
})

t.test('an answer described by the shared schema keeps its body', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(betterAuthUser, { secret, identityStore: nobody, openapi: true })
  app.get('/described', { onRequest: app.requireUser() }, async () => 'ok')
  app.get(
    '/own',
    { onRequest: app.requireUser(), schema: { response: { 401: { $ref: 'BetterAuthUserError#' } } } },
    async () => 'ok'
  )
  for (const url of ['/described', '/own']) {
    t.same((await app.inject(url)).json(), {
      statusCode: 401,
      code: 'FST_BAU_CREDENTIAL_MISSING',
      error: 'Unauthorized',
      message: 'Authentication required'
    })
  }
})
