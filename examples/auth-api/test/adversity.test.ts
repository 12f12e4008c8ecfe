import { openTestServer } from 'embedded-database/testing'
import t from 'tap'
import { openApi, password } from './api.ts'

t.test('passwords cost what bcrypt costs by default', async t => {
  const api = await openApi(t, { rounds: undefined })
  await api.signUp('Ada')
  const { rows } = await api.pool.query('select password from account')
  t.match(rows[0].password, /^\$2b\$12\$/)
})

t.test('guessing is limited by address', async t => {
  const api = await openApi(t, { attemptsPerMinute: 3 })
  const { token, user } = await api.signUp('Ada')
  const guess = { body: { email: user.email, password: 'a guess' } }
  for (const status of [401, 401, 401, 429]) t.equal((await api.call('/api/auth/signin', guess)).status, status)
  t.equal((await api.call(`/api/${user.id}/tasks`, { token })).status, 200, 'whoever is signed in is not touched')
})

t.test('a deleted user is nobody from that moment on', async t => {
  const api = await openApi(t)
  const { token, user } = await api.signUp('Ada')
  await api.call(`/api/${user.id}/tasks`, { token, body: { title: 'Last' } })
  await api.pool.query('delete from "user" where id = $1', [user.id])
  t.equal((await api.call(`/api/${user.id}/tasks`, { token })).status, 401)
  t.same((await api.pool.query('select * from task')).rows, [])
})

t.test('an outage is 503, whatever is asked, and passes', async t => {
  const server = await openTestServer()
  t.teardown(() => server.close())
  const api = await openApi(t, { connectionString: server.connectionString })
  const { token, user } = await api.signUp('Ada')
  const requests = [
    () => api.call(`/api/${user.id}/tasks`, { token }),
    () => api.call('/api/auth/signin', { body: { email: user.email, password } }),
    () => api.call('/api/auth/signup', { body: { email: 'bob@example.com', password, name: 'Bob' } }),
    () => api.call('/api/auth/signout', { token, method: 'POST' })
  ]
  await server.stop()
  for (const request of requests) {
    const { status, headers, text } = await request()
    t.equal(status, 503, text)
    t.equal(headers.get('retry-after'), '1')
  }
  await server.start()
  for (const [index, request] of requests.entries()) t.equal((await request()).status, index === 2 ? 201 : 200)
})
