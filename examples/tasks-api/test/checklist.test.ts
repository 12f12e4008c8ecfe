import t from 'tap'
import { buildServer } from '../server.ts'
import { mint, openApi, secret } from './api.ts'

const lines: string[] = []
const logger = { level: 'debug', stream: { write: (line: string) => void lines.push(line) } }
const api = await openApi(t, { corsOrigins: ['http://localhost:3000'], logger })
const ada = await api.signUp('Ada')
const bob = await api.signUp('Bob')
const task = (await api.call(ada.tasks, { token: ada.token, body: { title: 'Hers' } })).json
const one = `${ada.tasks}/${task.id}`
const endpoints: [method: string, path: string, body?: object][] = [
  ['POST', ada.tasks, { title: 'x' }],
  ['GET', ada.tasks],
  ['GET', one],
  ['PUT', one, { title: 'x' }],
  ['PATCH', one, { title: 'x' }],
  ['PATCH', `${one}/toggle`],
  ['DELETE', one]
]

t.test('Security checklist', async t => {
  t.test('Same secret in both services', async t => {
    t.equal((await api.call(one, ada)).status, 200)
    const token = await mint({ sub: ada.id }, { key: 'another secret of thirty-two bytes' })
    t.equal((await api.call(one, { token })).status, 401)
    const { connectionString } = api
    await t.rejects(buildServer({ secret: undefined, connectionString }), /BETTER_AUTH_SECRET is required/)
    await t.rejects(buildServer({ secret: 'too short', connectionString }), { name: 'TypeError' })
  })

  t.test('HS256 algorithm', async t => {
    t.equal((await api.call(one, { token: await mint({ sub: ada.id }) })).status, 200)
    const hs512 = await mint({ sub: ada.id }, { alg: 'HS512', key: secret.repeat(2) })
    const payload = (await mint({ sub: ada.id })).split('.')[1]
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
    for (const token of [hs512, none]) t.equal((await api.call(one, { token })).status, 401)
  })

  t.test('User_id validation', async t => {
    for (const [method, path, body] of endpoints) {
      t.equal((await api.call(path, { token: bob.token, method, body })).status, 403, `${method} ${path}`)
    }
    t.equal((await api.call(one, ada)).json.title, 'Hers', 'nothing was changed')
  })

  t.test('User_id validation, by the query as well as by the guard', async t => {
    const stolen = `${bob.tasks}/${task.id}`
    for (const [method, path, body] of endpoints.slice(2)) {
      const { status } = await api.call(path.replace(one, stolen), { token: bob.token, method, body })
      t.equal(status, 404, `${method} ${path}`)
    }
    t.same((await api.call(bob.tasks, bob)).json, [])
    t.equal((await api.call(one, ada)).json.title, 'Hers')
  })

  t.test('HTTPBearer scheme', async t => {
    for (const [method, path, body] of endpoints) {
      const { status, headers } = await api.call(path, { method, body })
      t.equal(status, 401, `${method} ${path}`)
      t.equal(headers.get('www-authenticate'), 'Bearer realm="api"')
    }
    t.equal((await api.call(one, { authorization: `Basic ${ada.token}` })).status, 401)
  })

  t.test('Token expiration', async t => {
    const { status, json } = await api.call(one, { token: await mint({ sub: ada.id }, { expires: '-1m' }) })
    t.equal(status, 401)
    t.equal(json.detail, 'Token has expired. Please sign in again.')
    t.equal(
      (await api.call(one, { token: await mint({ sub: ada.id }, { expires: '' }) })).status,
      401,
      'a token without an end'
    )
  })

  t.test('Error handling', async t => {
    const forged = await mint({ sub: ada.id, email: ada.email }, { key: 'another secret of thirty-two bytes' })
    const answers = [
      await api.call(one, { token: forged }),
      await api.call(one, bob),
      await api.call(`${ada.tasks}/x`, ada)
    ]
    for (const { text } of answers) {
      for (const word of [secret, forged, ada.email, bob.id, 'postgres', 'node_modules', ' at ']) t.notMatch(text, word)
    }
  })

  t.test('Logging', async t => {
    const from = lines.length
    await api.call(one, ada)
    await api.call(one, bob)
    await api.call(one, { token: await mint({ sub: ada.id }, { key: 'another secret of thirty-two bytes' }) })
    await api.call(ada.tasks, { token: ada.token, body: { title: 'To be logged' } })
    const logged = lines.slice(from).map(line => JSON.parse(line))
    t.ok(logged.some(({ auth }) => auth?.outcome === 'authenticated' && auth.userId === ada.id))
    t.ok(logged.some(({ auth }) => auth?.outcome === 'rejected' && auth.code === 'FST_BAU_CREDENTIAL_INVALID'))
    t.ok(logged.some(({ code, userId }) => code === 'FST_BAU_NOT_OWN_USER' && userId === bob.id))
    t.ok(logged.some(({ taskId, userId }) => taskId && userId === ada.id))
    for (const secretive of [secret, ada.token, bob.token, ada.email]) t.notMatch(lines.join(''), secretive)
  })

  t.test('CORS configured', async t => {
    const preflight = (origin: string) =>
      api.call(one, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'DELETE',
          'access-control-request-headers': 'authorization'
        }
      })
    const allowed = await preflight('http://localhost:3000')
    t.equal(allowed.status, 204)
    t.equal(allowed.headers.get('access-control-allow-origin'), 'http://localhost:3000')
    t.match(allowed.headers.get('access-control-allow-methods'), 'DELETE')
    t.equal((await preflight('https://evil.example')).headers.get('access-control-allow-origin'), null)
    const refused = await api.call(one, { headers: { origin: 'http://localhost:3000' } })
    t.equal(refused.headers.get('access-control-allow-origin'), 'http://localhost:3000', 'a page can read its 401')
  })
})

t.test('Common errors', async t => {
  t.test('Invalid JWT token: Not enough segments', async t => {
    for (const token of ['abc', 'a.b', ada.token.split('.').slice(0, 2).join('.')]) {
      const { status, headers } = await api.call(one, { token })
      t.equal(status, 401)
      t.match(headers.get('www-authenticate'), 'error="invalid_token"')
    }
    t.equal((await api.call(one, { authorization: 'Bearer' })).status, 400)
  })

  t.test("Invalid token: missing user_id in 'sub' claim", async t => {
    for (const claims of [{}, { email: ada.email }, { sub: '' }, { sub: 42 }, { sub: null }]) {
      t.equal((await api.call(one, { token: await mint(claims as object as Record<string, unknown>) })).status, 401)
    }
  })

  t.test('Not authorized to access this resource (403)', async t => {
    const { status, json } = await api.call(ada.tasks, bob)
    t.equal(status, 403)
    t.equal(json.detail, 'Not authorized to access this resource')
    t.equal(json.message, json.detail)
  })
})

t.test('Best practices', async t => {
  t.test('Always validate URL vs JWT user_id', async t => {
    for (const id of ['nobody', ada.id.toUpperCase(), `${bob.id}%20`, '%00', `${bob.id},${ada.id}`]) {
      t.equal((await api.call(`/api/${id}/tasks`, bob)).status, 403, id)
    }
    const head = await api.call(one, { token: bob.token, method: 'HEAD' })
    t.equal(head.status, 403)
  })

  t.test('Use dependency injection: consistent auth across endpoints', async t => {
    const { json } = await api.call('/docs/json')
    const operations = Object.entries<Record<string, { security: unknown; responses: object }>>(json.paths)
      .filter(([path]) => path.startsWith('/api/'))
      .flatMap(([, methods]) => Object.values(methods))
    t.equal(operations.length, endpoints.length)
    for (const { security, responses } of operations) {
      t.same(security, [{ bearerToken: [] }])
      for (const status of ['400', '401', '403']) t.ok(status in responses, status)
    }
  })

  t.test('Log security events', async t => {
    const from = lines.length
    await api.call(one)
    t.ok(lines.slice(from).some(line => JSON.parse(line).auth?.outcome === 'anonymous'))
  })

  t.test('Handle errors gracefully', async t => {
    for (const [method, path, body] of endpoints) {
      const { status, json } = await api.call(path.replace(task.id, 'x'), {
        token: ada.token,
        method,
        body: body && []
      })
      if (path === ada.tasks && method === 'GET') continue
      t.equal(status, 400, `${method} ${path}`)
      t.type(json.detail, 'string')
    }
  })

  t.test('Test auth flows', async t => {
    const cyd = await api.signUp('Cyd')
    t.equal((await api.call(cyd.tasks, cyd)).status, 200)
    await api.frontEnd.auth.api.signOut({ headers: cyd.session })
    t.equal((await api.call(cyd.tasks, cyd)).status, 401, 'signed out over there, refused here')
  })

  t.test('Rotate secrets', async t => {
    const next = 'n3xtS3cr3tOfTheSameServiceAfter!!'
    const rotated = await openApi(t, { connectionString: api.connectionString, secret: [next, secret] })
    t.equal((await rotated.call(one, ada)).status, 200, 'tokens of before')
    t.equal((await rotated.call(one, { token: await mint({ sub: ada.id }, { key: next }) })).status, 200)
    t.equal((await api.call(one, { token: await mint({ sub: ada.id }, { key: next }) })).status, 401)
  })

  t.test('Use HTTPS in production', async t => {
    const strict = await openApi(t, { connectionString: api.connectionString, httpsOnly: true })
    t.equal((await strict.call(one, ada)).status, 403)
    const secure = await strict.call(one, { token: ada.token, headers: { 'x-forwarded-proto': 'https' } })
    t.equal(secure.status, 200)
    t.match(secure.headers.get('strict-transport-security'), 'max-age')
  })
})
