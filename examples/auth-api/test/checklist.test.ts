import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import bcrypt from 'bcryptjs'
import { jwtVerify } from 'jose'
import t from 'tap'
import { buildServer } from '../server.ts'
import { claimsOf, headerOf, mint, openApi, password, secret } from './api.ts'

const key = new TextEncoder().encode(secret)
const api = await openApi(t)
const ada = await api.signUp('Ada')
const bob = await api.signUp('Bob')
const adas = `/api/${ada.user.id}/tasks`
const otherSecret = 'another secret of thirty-two bytes'
const signIn = (email: string, attempt: string) => api.call('/api/auth/signin', { body: { email, password: attempt } })

t.test('JWT token verification', async t => {
  t.test('Use HTTPBearer() for extracting token from Authorization header', async t => {
    t.equal((await api.call(adas, { token: ada.token })).status, 200)
    t.equal((await api.call(adas, { authorization: `bearer ${ada.token}` })).status, 200)
    for (const authorization of [`Basic ${ada.token}`, ada.token]) {
      t.equal((await api.call(adas, { authorization })).status, 401, authorization.slice(0, 6))
    }
    const missing = await api.call(adas)
    t.equal(missing.status, 401)
    t.match(missing.headers.get('www-authenticate'), /^Bearer /)
  })

  t.test('Use jwt.decode() with shared secret and HS256 algorithm', async t => {
    const claims = { sub: ada.user.id }
    t.equal((await api.call(adas, { token: await mint(claims) })).status, 200)
    t.equal((await api.call(adas, { token: await mint(claims, { key: otherSecret }) })).status, 401)
    const token = await mint(claims, { alg: 'HS512', key: secret.repeat(2) })
    t.equal((await api.call(adas, { token })).status, 401)
    const [, payload] = (await mint(claims)).split('.')
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
    t.equal((await api.call(adas, { token: `${none}.${payload}.` })).status, 401)
  })

  t.test('Extract user_id from sub or user_id claim', async t => {
    t.equal((await api.call(adas, { token: await mint({ sub: ada.user.id }) })).status, 200)
    t.equal((await api.call(adas, { token: await mint({ user_id: ada.user.id }) })).status, 200)
    t.equal((await api.call(adas, { token: await mint({ sub: ada.user.id, user_id: bob.user.id }) })).status, 401)
    t.equal((await api.call(adas, { token: await mint({ email: ada.user.email }) })).status, 401)
  })

  t.test('Return dict with user information', async t => {
    const { json } = await api.call(adas, { token: ada.token, body: { title: 'Mine' } })
    const { rows } = await api.pool.query('select user_id from task where id = $1', [json.data.id])
    t.same(rows, [{ user_id: ada.user.id }])
  })

  t.test('Raise 401 Unauthorized for invalid tokens', async t => {
    for (const token of ['nonsense', 'a.b.c', `${ada.token}x`, ada.token.slice(0, -4)]) {
      const { status, json } = await api.call(adas, { token })
      t.equal(status, 401)
      t.equal(json.detail, 'Invalid or expired JWT token')
    }
  })

  t.test('Use BETTER_AUTH_SECRET from environment', async t => {
    const { payload } = await jwtVerify(ada.token, key, { algorithms: ['HS256'] })
    t.equal(payload.sub, ada.user.id)
  })
})

t.test('User ID validation in routes', async t => {
  t.test('ALWAYS verify user_id from JWT matches path parameter', async t => {
    t.equal((await api.call(adas, { token: bob.token })).status, 403)
    t.equal((await api.call(adas, { token: bob.token, body: { title: 'x' } })).status, 403)
    t.equal((await api.call(adas, { token: bob.token, method: 'HEAD' })).status, 403)
  })

  t.test('Return 403 Forbidden if mismatch (not 401)', async t => {
    const { status, json } = await api.call(adas, { token: bob.token })
    t.equal(status, 403)
    t.equal(json.detail, 'User ID mismatch: You can only access your own data')
  })

  t.test('Never trust user_id from URL path alone', async t => {
    t.equal((await api.call(adas)).status, 401)
    t.equal((await api.call('/api/nobody-at-all/tasks')).status, 401)
    t.equal((await api.call(`/api/${encodeURIComponent(`${ada.user.id}/../${bob.user.id}`)}/tasks`, ada)).status, 403)
  })

  t.test('Use user_id from JWT token for database queries', async t => {
    await api.call(`/api/${bob.user.id}/tasks`, { token: bob.token, body: { title: 'Of Bob' } })
    const { json } = await api.call(adas, ada)
    t.notMatch(JSON.stringify(json), /Of Bob/)
  })
})

t.test('JWT token generation', async t => {
  const claims = claimsOf(ada.token)

  t.test('Use sub claim for user_id (JWT standard)', async t => void t.equal(claims.sub, ada.user.id))
  t.test('Include user_id for compatibility', async t => void t.equal(claims.user_id, ada.user.id))
  t.test('Set expiration to 7 days', async t => void t.equal(Number(claims.exp) - Number(claims.iat), 604_800))
  t.test('Use HS256 algorithm', async t => void t.same(headerOf(ada.token), { alg: 'HS256', typ: 'JWT' }))
  t.test('Include exp and iat claims', async t => {
    t.ok(Math.abs(Number(claims.iat) - Date.now() / 1000) < 60)
    t.equal(claims.email, 'ada@example.com')
  })
  t.test('Use BETTER_AUTH_SECRET for signing', async t => {
    await t.resolves(jwtVerify(ada.token, key))
    await t.rejects(jwtVerify(ada.token, new TextEncoder().encode(otherSecret)))
  })
})

t.test('Password hashing', async t => {
  const { rows } = await api.pool.query(
    `select password from account where "userId" = $1 and "providerId" = 'credential'`,
    [ada.user.id]
  )
  const stored: string = rows[0].password

  t.test('Use bcrypt for password hashing', async t => {
    t.match(stored, /^\$2b\$04\$/)
    t.ok(await bcrypt.compare(password, stored))
  })

  t.test('Never store plain text passwords', async t => {
    const everything = await api.pool.query('select u::text, a::text, s::text from "user" u, account a, session s')
    t.notMatch(JSON.stringify(everything.rows), password)
  })

  t.test('Use verify_password() for authentication', async t => {
    t.equal((await signIn(ada.user.email, password)).status, 200)
    t.equal((await signIn(ada.user.email, `${password} `)).status, 401)
    t.equal((await signIn(ada.user.email, stored)).status, 401)
  })

  t.test('Use hash_password() during signup, and never more of a password than bcrypt reads', async t => {
    const body = { email: 'long@example.com', name: 'Long', password: 'é'.repeat(37) }
    t.match(await api.call('/api/auth/signup', { body }), { status: 400, json: { code: 'PASSWORD_TOO_LONG' } })
    t.equal((await api.call('/api/auth/signup', { body: { ...body, password: 'é'.repeat(36) } })).status, 201)
    t.equal((await signIn(body.email, 'é'.repeat(36))).status, 200)
    t.equal((await signIn(body.email, `${'é'.repeat(36)}x`)).status, 401)
  })
})

t.test('Authentication endpoints', async t => {
  t.test('Signup returns 201 Created with token', async t => {
    const body = { email: 'Cyd@Example.com', password, name: 'Cyd' }
    const { status, json } = await api.call('/api/auth/signup', { body })
    t.equal(status, 201)
    const { token, user } = json.data
    t.same(json, { success: true, data: { token, user: { id: user.id, email: 'cyd@example.com', name: 'Cyd' } } })
    t.equal((await api.call(`/api/${user.id}/tasks`, { token })).status, 200)
  })

  t.test('Signin returns 200 OK with token', async t => {
    const { status, json } = await signIn(ada.user.email, password)
    t.equal(status, 200)
    t.same(json, { success: true, data: { token: json.data.token, user: ada.user } })
    t.equal((await api.call(adas, { token: json.data.token })).status, 200)
  })

  t.test('Signout returns 200 OK, and the token stops working at once', async t => {
    const { json } = await signIn(ada.user.email, password)
    const { token } = json.data
    t.match(await api.call('/api/auth/signout', { token, body: {} }), { status: 200, json: { success: true } })
    t.equal((await api.call(adas, { token })).status, 401)
    t.equal((await api.call('/api/auth/signout', { token, body: {} })).status, 401)
    t.equal((await api.call(adas, ada)).status, 200, 'the other session lives on')
    const { rows } = await api.pool.query('select id from session where id = $1', [claimsOf(token).sid])
    t.same(rows, [])
  })

  t.test('Signout returns 200 OK (stateless, no server action needed)', async t => {
    const stateless = await openApi(t, { connectionString: api.connectionString, statelessSignOut: true })
    const dora = await stateless.signUp('Dora')
    const out = await stateless.call('/api/auth/signout', { token: dora.token, method: 'POST' })
    t.match(out, { status: 200, json: { success: true } })
    t.equal((await stateless.call(`/api/${dora.user.id}/tasks`, dora)).status, 200)
    t.equal((await stateless.call('/api/auth/signout', { method: 'POST' })).status, 401)
  })

  t.test('Validate email uniqueness in signup', async t => {
    const body = { email: 'ADA@example.com', password, name: 'Not Ada' }
    const { status, json } = await api.call('/api/auth/signup', { body })
    t.equal(status, 400)
    t.match(json, { success: false, code: 'USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL' })
    const twice = { body: { email: 'race@example.com', password, name: 'Race' } }
    const answers = await Promise.all([0, 1, 2, 3].map(() => api.call('/api/auth/signup', twice)))
    t.same(answers.map(({ status }) => status).sort(), [201, 400, 400, 400])
  })

  t.test('Return 401 for invalid credentials', async t => {
    const wrong = await signIn(ada.user.email, 'not hers')
    const unknown = await signIn('nobody@example.com', password)
    for (const { status, json } of [wrong, unknown]) {
      t.equal(status, 401)
      t.equal(json.detail, 'Invalid email or password')
    }
    t.equal(wrong.text, unknown.text, 'which addresses are known stays unknown')
  })

  t.test('Return 400 for validation errors', async t => {
    const good = { email: 'eve@example.com', password, name: 'Eve' }
    const bad = [
      { ...good, email: 'eve' },
      { ...good, email: 'eve\u0000@example.com' },
      { ...good, password: 'short' },
      { ...good, name: '' },
      { ...good, name: 'E\u0000ve' },
      { ...good, name: { first: 'Eve' } },
      { email: good.email, password },
      []
    ]
    for (const body of bad) t.equal((await api.call('/api/auth/signup', { body })).status, 400, JSON.stringify(body))
    for (const body of [{}, { email: 1, password }, { email: good.email, password: null }]) {
      t.equal((await api.call('/api/auth/signin', { body })).status, 400, JSON.stringify(body))
    }
    t.equal((await api.call(adas, { token: ada.token, body: { title: 'a\u0000b' } })).status, 400)
  })

  t.test('Generate JWT token after successful authentication', async t => {
    const { json } = await signIn(bob.user.email, 'not his')
    t.notMatch(JSON.stringify(json), /eyJ/)
    const { rows } = await api.pool.query('select "userId" from session where id = $1', [claimsOf(bob.token).sid])
    t.same(rows, [{ userId: bob.user.id }])
  })
})

t.test('Protected route pattern', async t => {
  t.test('Add current_user to all protected routes', async t => {
    for (const path of [adas, '/api/auth/signout'])
      t.equal((await api.call(path, { method: 'POST' })).status, 401, path)
  })
  t.test('Verify user_id matches before processing', async t => {
    t.equal((await api.call(adas, { token: bob.token, body: { nothing: 'that would be accepted' } })).status, 403)
  })
  t.test('Use user_id from JWT token (not path) for database queries', async t => {
    const { json } = await api.call(adas, { token: ada.token, body: { title: 'Hers', user_id: bob.user.id } })
    const { rows } = await api.pool.query('select user_id from task where id = $1', [json.data.id])
    t.same(rows, [{ user_id: ada.user.id }])
  })
  t.test('Return 403 if user_id mismatch', async t => {
    t.equal((await api.call(`/api/${bob.user.id}/tasks`, ada)).status, 403)
  })
})

t.test('Token expiration handling', async t => {
  const token = await mint({ sub: ada.user.id }, { expires: '-1h' })

  t.test('Catch ExpiredSignatureError specifically', async t => {
    t.match(await api.call(adas, { token }), { status: 401, json: { code: 'FST_BAU_TOKEN_EXPIRED' } })
  })
  t.test('Return clear error message for expired tokens', async t => {
    t.equal((await api.call(adas, { token })).json.detail, 'Token has expired. Please sign in again.')
  })
  t.test('Return generic message for other JWT errors', async t => {
    const forged = await mint({ sub: ada.user.id }, { key: otherSecret, expires: '-1h' })
    t.equal((await api.call(adas, { token: forged })).json.detail, 'Invalid or expired JWT token')
  })
  t.test('Client should redirect to login on 401', async t => {
    const { status, headers } = await api.call(adas, { token })
    t.equal(status, 401)
    t.match(headers.get('www-authenticate'), /^Bearer .*error="invalid_token"/)
  })
})

t.test('Environment variable configuration', async t => {
  const server = fileURLToPath(new URL('../server.ts', import.meta.url))
  const tsx = fileURLToPath(new URL('../node_modules/tsx/dist/cli.mjs', import.meta.url))
  const start = (env: Record<string, string>) => {
    // Not tap's own loaders: the server is started as `pnpm start` does.
    const { PATH = '' } = process.env
    const options = { env: { PATH, NODE_OPTIONS: '--conditions=fastify-chatkit-source', ...env }, timeout: 20_000 }
    return spawnSync(process.execPath, [tsx, server], { ...options, encoding: 'utf8' })
  }
  const DATABASE_URL = api.connectionString

  t.test('Use BETTER_AUTH_SECRET from environment (required)', async t => {
    const { status, stderr } = start({ DATABASE_URL })
    t.equal(status, 1)
    t.match(stderr, 'BETTER_AUTH_SECRET is required')
  })
  t.test('Use same secret as frontend (Better Auth)', async t => {
    t.equal((await api.call(adas, { token: await mint({ sub: ada.user.id }) })).status, 200)
  })
  t.test('Validate secret exists at startup', async t => {
    await t.rejects(buildServer({ secret: '', connectionString: DATABASE_URL }), /BETTER_AUTH_SECRET is required/)
    await t.rejects(buildServer({ secret: 'short', connectionString: DATABASE_URL }), { name: 'TypeError' })
  })
  t.test('Use environment variable for expiration days (default 7)', async t => {
    const { status, stderr } = start({ DATABASE_URL, BETTER_AUTH_SECRET: secret, JWT_EXPIRATION_DAYS: 'soon' })
    t.equal(status, 1)
    t.match(stderr, 'JWT_EXPIRATION_DAYS')
    const day = await openApi(t, { connectionString: api.connectionString, days: 1 })
    const { token } = await day.signUp('Fay')
    t.equal(Number(claimsOf(token).exp) - Number(claimsOf(token).iat), 86_400)
    const { rows } = await api.pool.query(
      'select extract(epoch from "expiresAt" - "createdAt")::int as seconds from session where id = $1',
      [claimsOf(token).sid]
    )
    t.same(rows, [{ seconds: 86_400 }])
  })
})
