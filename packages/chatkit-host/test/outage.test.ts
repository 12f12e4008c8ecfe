import { openTestServer } from 'embedded-database/testing'
import t from 'tap'
import { listThreads, post, said, threadOf } from './fixtures/chat.ts'
import { openHost } from './fixtures/host.ts'
import { bearer, hs256, password, signUp } from './fixtures/people.ts'

t.test('Postgres goes away and comes back, and the same process answers', async t => {
  const server = await openTestServer()
  t.teardown(() => server.close())
  const host = await openHost(t, { DATABASE_URL: server.connectionString, CORS_ORIGINS: 'https://app.example.com' })
  const ada = await signUp(host.url)
  const headers = { ...bearer(ada.rawToken), origin: 'https://app.example.com' }
  const thread = threadOf(await post(host.url, headers))

  for (const round of ['once', 'and once more']) {
    await t.test(round, async t => {
      await server.stop()

      await t.test('503 with the body of the seed documents, for every credential', async t => {
        for (const credential of [bearer(ada.rawToken), bearer(await hs256({ sub: ada.id })), { cookie: ada.cookie }]) {
          const { status, json, headers } = await post(host.url, { ...credential, origin: 'https://app.example.com' })
          t.equal(status, 503)
          t.same(json, {
            error: 'Authentication is temporarily unavailable',
            status: 503,
            message: 'Authentication is temporarily unavailable',
            code: 'FST_BAU_UNAVAILABLE'
          })
          t.match(headers.get('retry-after'), /^\d+$/)
          t.equal(headers.get('access-control-allow-origin'), 'https://app.example.com')
          t.equal(headers.get('www-authenticate'), null, 'nobody is asked to sign in again')
        }
      })

      await t.test('a forgery is a forgery all the same', async t => {
        const forged = await hs256({ sub: ada.id }, { key: 'another secret of more than 32 bytes' })
        t.equal((await post(host.url, bearer(forged))).status, 401)
      })

      await t.test('signing in is 503, too', async t => {
        const reply = await fetch(`${host.url}/api/auth/sign-in/email`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin: host.url },
          body: JSON.stringify({ email: ada.email, password })
        })
        t.equal(reply.status, 503)
        t.match(await reply.json(), {
          error: 'The database cannot be reached; try again later',
          status: 503,
          code: 'DATABASE_UNAVAILABLE'
        })
      })

      await t.test('nor is anybody told that they are signed out, or have no session', async t => {
        const signedIn = { cookie: ada.cookie, origin: host.url, 'content-type': 'application/json' }
        const session = await fetch(`${host.url}/api/auth/get-session`, { headers: signedIn })
        t.match([session.status, await session.json()], [503, { code: 'DATABASE_UNAVAILABLE' }])
        const signOut = await fetch(`${host.url}/api/auth/sign-out`, { method: 'POST', headers: signedIn, body: '{}' })
        t.match([signOut.status, await signOut.json()], [503, { code: 'DATABASE_UNAVAILABLE' }])
        t.same(signOut.headers.getSetCookie(), [], 'the cookie goes only with the session')
      })

      await t.test('what needs no database is answered', async t => {
        t.equal((await fetch(`${host.url}/health/live`)).status, 200)
      })

      await server.start()
      await t.test('then all is as before', async t => {
        const answer = await post(host.url, headers, { message: 'Still there?', thread_id: thread })
        t.equal(answer.status, 200)
        t.equal(said(answer), 'Still there?')
        t.same(await listThreads(host.url, headers), [thread])
        const reply = await fetch(`${host.url}/api/auth/sign-in/email`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin: host.url },
          body: JSON.stringify({ email: ada.email, password })
        })
        t.equal(reply.status, 200)
      })
    })
  }
})

t.test('signing in recovers even where Better Auth’s first look at the database failed', async t => {
  const server = await openTestServer()
  t.teardown(() => server.close())
  const first = await openHost(t, { DATABASE_URL: server.connectionString })
  const ada = await signUp(first.url)
  await first.close()

  const host = await openHost(t, { DATABASE_URL: server.connectionString })
  const signIn = () =>
    fetch(`${host.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: host.url },
      body: JSON.stringify({ email: ada.email, password })
    })
  await server.stop()
  t.equal((await signIn()).status, 503)
  await server.start()
  t.equal((await signIn()).status, 200)
})
