import { openTestServer } from 'embedded-database/testing'
import pg from 'pg'
import t from 'tap'
import { post, said, threadOf } from './fixtures/chat.ts'
import { openHost } from './fixtures/host.ts'
import { bearer, hs256, signUp } from './fixtures/people.ts'

t.test('Valid JWT token returns user_id', async t => {
  const host = await openHost(t)
  const ada = await signUp(host.url)
  const token = await hs256({ sub: ada.id, email: ada.email })
  const answer = await post(host.url, bearer(token))
  t.equal(answer.status, 200)
  t.match(answer.headers.get('content-type'), /^text\/event-stream/)
  t.equal(said(answer), 'Hello')
  t.ok(host.lines.includes(`✅ User ID from session: ${ada.id}`))
  t.equal(await ownerOf(host.databaseUrl, threadOf(answer)), ada.id)
})

t.test('Invalid JWT token returns 401 error', async t => {
  const host = await openHost(t)
  const ada = await signUp(host.url)
  const good = await hs256({ sub: ada.id })
  const cases = {
    'signed with another secret': await hs256({ sub: ada.id }, { key: 'another secret of more than 32 bytes' }),
    'a claim changed after signing': good.replace(
      /\.[^.]+\./,
      `.${Buffer.from(`{"sub":"${ada.id}","exp":9999999999}`).toString('base64url')}.`
    ),
    'no token at all, but a word': 'nonsense',
    'the seed documents’ example, which nobody holds here': '0fOyRVonMqRyD20kP9Qi'
  }
  for (const [why, token] of Object.entries(cases)) {
    t.test(why, async t => {
      const { status, json, headers } = await post(host.url, bearer(token))
      t.equal(status, 401)
      t.same(json, {
        error: 'Invalid or expired JWT token',
        status: 401,
        message: 'Invalid or expired JWT token',
        code: 'FST_BAU_CREDENTIAL_INVALID'
      })
      t.equal(headers.get('www-authenticate'), 'Bearer realm="api", error="invalid_token"')
    })
  }
})

t.test('Expired JWT token returns 401 error', async t => {
  const host = await openHost(t)
  const ada = await signUp(host.url)
  const { status, json } = await post(host.url, bearer(await hs256({ sub: ada.id }, { expires: '-1h' })))
  t.equal(status, 401)
  t.same(json, {
    error: 'Invalid or expired JWT token',
    status: 401,
    message: 'Invalid or expired JWT token',
    code: 'FST_BAU_TOKEN_EXPIRED',
    detail: 'Token has expired. Please sign in again.'
  })
})

t.test('Non-existent email returns 404 error', async t => {
  const host = await openHost(t, { BETTER_AUTH_ISSUER: 'my-app' })
  const expected = {
    error: 'User not found with provided email',
    status: 404,
    message: 'User not found with provided email',
    code: 'FST_BAU_USER_NOT_FOUND'
  }
  const byEmail = await post(host.url, bearer(await hs256({ email: 'nobody@example.com', iss: 'my-app' })))
  t.same([byEmail.status, byEmail.json], [404, expected])
  const bySubject = await post(host.url, bearer(await hs256({ sub: 'nobody', iss: 'my-app' })))
  t.same([bySubject.status, bySubject.json], [404, expected])
})

t.test('User with no sessions handles gracefully', async t => {
  const host = await openHost(t)
  const ada = await signUp(host.url)
  const token = await hs256({ sub: ada.id, email: ada.email })
  const reply = await fetch(`${host.url}/api/auth/sign-out`, {
    method: 'POST',
    headers: { ...bearer(ada.rawToken), 'content-type': 'application/json', origin: host.url },
    body: '{}'
  })
  t.equal(reply.status, 200)
  const { status, json } = await post(host.url, bearer(token))
  t.equal(status, 404)
  t.same(json, {
    error: 'No active sessions found for user',
    status: 404,
    message: 'No active sessions found for user',
    code: 'FST_BAU_NO_ACTIVE_SESSION'
  })
})

t.test('Database connection errors handled', async t => {
  const server = await openTestServer()
  t.teardown(() => server.close())
  const host = await openHost(t, { DATABASE_URL: server.connectionString })
  const ada = await signUp(host.url)
  await server.stop()
  const { status, json } = await post(host.url, bearer(await hs256({ sub: ada.id })))
  t.equal(status, 503)
  t.match(json, { error: 'Authentication is temporarily unavailable', status: 503, code: 'FST_BAU_UNAVAILABLE' })
})

t.test('CORS headers still work correctly', async t => {
  const origin = 'https://app.example.com'
  const host = await openHost(t, { CORS_ORIGINS: origin })
  const ada = await signUp(host.url)
  const good = await post(host.url, { ...bearer(ada.rawToken), origin })
  t.equal(good.status, 200)
  t.equal(good.headers.get('access-control-allow-origin'), origin)
  const bad = await post(host.url, { ...bearer('nonsense'), origin })
  t.equal(bad.status, 401)
  t.equal(bad.headers.get('access-control-allow-origin'), origin)
})

async function ownerOf(connectionString: string, threadId: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  const { rows } = await client.query('select owner_id from chatkit.thread where id = $1', [threadId])
  await client.end()
  return rows[0]?.owner_id
}
