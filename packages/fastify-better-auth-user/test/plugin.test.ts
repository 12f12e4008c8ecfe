import { subscribe } from 'node:diagnostics_channel'
import Fastify from 'fastify'
import betterAuthUser, { type AuthDecision, DECISION_CHANNEL } from 'fastify-better-auth-user'
import { SignJWT } from 'jose'
import t from 'tap'
import { SECRET, startBetterAuth } from './fixtures/better-auth.ts'
import { buildApp } from './fixtures/build-app.ts'

const key = new TextEncoder().encode(SECRET)

function hs256(claims: Record<string, unknown>, expires: number | string = '1h', signer: Uint8Array = key) {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setIssuedAt().setExpirationTime(expires).sign(signer)
}

t.test('every credential of a real sign-in names its user', async t => {
  const betterAuth = await startBetterAuth(t)
  const ada = await betterAuth.signUp('Ada Lovelace')
  const app = await buildApp(t, betterAuth.connectionString)
  const credentials = {
    'session token': { authorization: `Bearer ${ada.token}` },
    'scheme in another case, more spaces': { authorization: `bEARER   ${ada.token}` },
    'signed session token': { authorization: `Bearer ${ada.signedToken}` },
    'signed session token, percent-encoded': { authorization: `Bearer ${encodeURIComponent(ada.signedToken)}` },
    'session cookie': { cookie: ada.cookie },
    'session cookie, quoted and not encoded': { cookie: `a=b;better-auth.session_token="${ada.signedToken}";c=d` },
    'HS256 token with sub': { authorization: `Bearer ${await hs256({ sub: ada.user.id })}` },
    'HS256 token with user_id': { authorization: `Bearer ${await hs256({ user_id: ada.user.id, email: 'x@y.z' })}` },
    'a scheme that is not ours, and the cookie': { authorization: 'Basic YTpi', cookie: ada.cookie }
  }
  for (const [name, headers] of Object.entries(credentials)) {
    t.test(name, async t => {
      const reply = await app.inject({ url: '/me', headers })
      t.equal(reply.statusCode, 200, reply.body)
      t.match(reply.json(), { id: ada.user.id, email: 'ada@example.com', name: 'Ada Lovelace' })
      const open = await app.inject({ url: '/', headers })
      t.match(open.json(), { user: { id: ada.user.id }, session: { userId: ada.user.id } })
      t.notOk(open.body.includes(ada.token), 'the credential is not passed on')
    })
  }
})

t.test('turned away', async t => {
  const betterAuth = await startBetterAuth(t)
  const ada = await betterAuth.signUp('Ada Lovelace')
  const gone = await betterAuth.signUp('Grace Hopper')
  const app = await buildApp(t, betterAuth.connectionString)
  await betterAuth.pool.query(`delete from "session" where "userId" = $1`, [gone.user.id])
  const expired = await betterAuth.signIn('ada@example.com')
  await betterAuth.pool.query(`update "session" set "expiresAt" = now() - interval '1 second' where token = $1`, [
    expired.token
  ])
  const refused = 'Bearer realm="api", error="invalid_token"'
  const signature = ada.signedToken.slice(ada.token.length + 1)
  const cases = [
    {
      why: 'no credential',
      headers: {},
      status: 401,
      challenge: 'Bearer realm="api"',
      code: 'FST_BAU_CREDENTIAL_MISSING'
    },
    {
      why: 'unknown session token',
      headers: { authorization: 'Bearer 0fOyRVonMqRyD20kP9Qi' },
      status: 401,
      challenge: refused
    },
    { why: 'expired session', headers: { authorization: `Bearer ${expired.token}` }, status: 401, challenge: refused },
    {
      why: 'tampered signature',
      headers: { authorization: `Bearer ${gone.token}.${signature}` },
      status: 401,
      challenge: refused
    },
    {
      why: 'cookie without signature',
      headers: { cookie: `better-auth.session_token=${ada.token}` },
      status: 401,
      challenge: refused
    },
    {
      why: 'cookie that is no percent-encoding',
      headers: { cookie: 'better-auth.session_token=%zz%' },
      status: 401,
      challenge: refused
    },
    {
      why: 'bad bearer beside a good cookie',
      headers: { authorization: 'Bearer nope', cookie: ada.cookie },
      status: 401,
      challenge: refused
    },
    {
      why: 'token signed with another secret',
      headers: { authorization: `Bearer ${await hs256({ sub: ada.user.id }, '1h', new Uint8Array(32))}` },
      status: 401,
      challenge: refused
    },
    {
      why: 'token without subject',
      headers: { authorization: `Bearer ${await hs256({ email: 'ada@example.com', userId: ada.user.id })}` },
      status: 401,
      challenge: refused
    },
    {
      why: 'expired token',
      headers: { authorization: `Bearer ${await hs256({ sub: ada.user.id }, 1700000000)}` },
      status: 401,
      code: 'FST_BAU_TOKEN_EXPIRED',
      challenge: `${refused}, error_description="Token has expired. Please sign in again."`
    },
    {
      why: 'malformed header',
      headers: { authorization: 'Bearer a b' },
      status: 400,
      challenge: 'Bearer realm="api", error="invalid_request"',
      code: 'FST_BAU_CREDENTIAL_MALFORMED'
    },
    {
      why: 'token for nobody',
      headers: { authorization: `Bearer ${await hs256({ sub: 'nobody' })}` },
      status: 404,
      message: 'User not found with provided email'
    },
    {
      why: 'token of a user without sessions',
      headers: { authorization: `Bearer ${await hs256({ sub: gone.user.id })}` },
      status: 404,
      message: 'No active sessions found for user'
    }
  ]
  for (const { why, headers, status, challenge, code, message } of cases) {
    t.test(why, async t => {
      for (const url of why === 'no credential' ? ['/me'] : ['/me', '/']) {
        const reply = await app.inject({ url, headers })
        t.equal(reply.statusCode, status, reply.body)
        t.equal(reply.headers['www-authenticate'], challenge)
        if (code) t.equal(reply.json().code, code)
        if (message) t.equal(reply.json().message, message)
        else if (status === 401 && why !== 'no credential')
          t.equal(reply.json().message, 'Invalid or expired JWT token')
      }
    })
  }
  t.test('but the open route answers', async t => {
    const reply = await app.inject({ url: '/health', headers: { authorization: 'Bearer nope' } })
    t.equal(reply.statusCode, 200)
  })
  t.test('and an unknown address is a 404, whatever it carries', async t => {
    t.equal((await app.inject({ url: '/nowhere', headers: { authorization: 'Bearer nope' } })).statusCode, 404)
  })
})

t.test('a decision is published for each attempt, without the credential', async t => {
  const betterAuth = await startBetterAuth(t)
  const ada = await betterAuth.signUp('Ada Lovelace')
  const app = await buildApp(t, betterAuth.connectionString)
  const seen: AuthDecision[] = []
  subscribe(DECISION_CHANNEL, message => seen.push(message as AuthDecision))
  await app.inject({ url: '/me', headers: { cookie: ada.cookie } })
  await app.inject({ url: '/me', headers: { cookie: 'better-auth.session_token=forged.value' } })
  await app.inject({ url: '/me' })
  t.match(seen, [
    {
      outcome: 'authenticated',
      kind: 'session-cookie',
      stage: 'done',
      code: null,
      userId: ada.user.id,
      sessionCount: 1
    },
    { outcome: 'rejected', kind: 'session-cookie', stage: 'verify', code: 'FST_BAU_CREDENTIAL_INVALID', userId: null },
    { outcome: 'anonymous', kind: null, stage: 'extract', code: null, userId: null }
  ])
  t.notOk(JSON.stringify(seen).includes(ada.token))
})

t.test('options that cannot work are refused at start', async t => {
  const cases = [
    { options: { secret: 'short' }, says: /32 bytes/ },
    { options: { secret: 'better-auth-secret-12345678901234567890' }, says: /published default/ },
    { options: { secret: `"${SECRET}"` }, says: /quotes/ },
    { options: { hs256: true }, says: /needs the secret/ },
    { options: { hook: 'onSend' }, says: /hook/ },
    { options: { secrets: SECRET }, says: /unknown option secrets/ },
    { options: { secret: SECRET }, says: /finds no database/ }
  ]
  for (const { options, says } of cases) {
    const app = Fastify()
    await t.rejects(async () => app.register(betterAuthUser, options as object), { name: 'TypeError', message: says })
  }
})
