import t from 'tap'
import { listThreads, post, said, threadOf } from './fixtures/chat.ts'
import { openHost } from './fixtures/host.ts'
import { bearer, hs256, signUp } from './fixtures/people.ts'

t.test('User Story 1 - Authenticated ChatKit Request', async t => {
  const host = await openHost(t)
  const ada = await signUp(host.url, 'Ada')
  const bob = await signUp(host.url, 'Bob')

  t.test('an authorized request is answered, and the user ID is processed internally', async t => {
    const answer = await post(host.url, bearer(await hs256({ sub: ada.id, email: ada.email })), { message: 'Good day' })
    t.equal(answer.status, 200)
    t.equal(said(answer), 'Good day')
    t.same(await listThreads(host.url, bearer(ada.rawToken)), [threadOf(answer)], 'it is hers, whatever she shows')
    t.same(await listThreads(host.url, bearer(bob.rawToken)), [])
  })

  t.test('invalid tokens get 401 before any ChatKit work', async t => {
    const before = await listThreads(host.url, bearer(ada.rawToken))
    for (const token of [
      await hs256({ sub: ada.id }, { key: 'another secret of more than 32 bytes' }),
      await hs256({ sub: ada.id }, { expires: '-1h' }),
      `${ada.rawToken}x`
    ]) {
      const { status, json } = await post(host.url, bearer(token))
      t.equal(status, 401)
      t.match(json, { error: 'Invalid or expired JWT token', status: 401 })
    }
    t.same(await listThreads(host.url, bearer(ada.rawToken)), before)
  })
})

t.test('User Story 2 - User Not Found', async t => {
  const host = await openHost(t, { BETTER_AUTH_ISSUER: 'my-app' })
  await signUp(host.url)
  const token = await hs256({ email: 'stranger@example.com', iss: 'my-app' })
  const { status, json } = await post(host.url, bearer(token))
  t.equal(status, 404)
  t.match(json, { error: 'User not found with provided email', status: 404 })
})

t.test('User Story 3 - No Active Sessions', async t => {
  const host = await openHost(t)
  const ada = await signUp(host.url)
  const token = await hs256({ sub: ada.id, email: ada.email })
  t.equal((await post(host.url, bearer(token))).status, 200, 'while she is signed in')
  await fetch(`${host.url}/api/auth/revoke-sessions`, {
    method: 'POST',
    headers: { ...bearer(ada.rawToken), 'content-type': 'application/json', origin: host.url },
    body: '{}'
  })
  const { status, json } = await post(host.url, bearer(token))
  t.equal(status, 404)
  t.match(json, { error: 'No active sessions found for user', status: 404 })
})
