// Starts the API on a throw-away database (or on DATABASE_URL's), walks through it, and fails if anything is not so.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createTestDatabase } from 'embedded-database/testing'
import { buildServer } from './server.ts'

const given = process.env.DATABASE_URL
const database = given ? { connectionString: given, close: async () => {} } : await createTestDatabase()
const app = await buildServer({
  secret: randomBytes(32).toString('hex'),
  connectionString: database.connectionString
})
try {
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const email = `ada-${randomBytes(4).toString('hex')}@example.com`
  const password = 'correct horse battery staple'

  const up = await call(`${url}/api/auth/signup`, { body: { email, password, name: 'Ada' } })
  assert.equal(up.status, 201)
  const { token, user } = up.json.data
  assert.deepEqual({ ...user, id: '' }, { id: '', email, name: 'Ada' })
  assert.equal((await call(`${url}/api/auth/signup`, { body: { email, password, name: 'Eve' } })).status, 400)

  assert.equal((await call(`${url}/api/auth/signin`, { body: { email, password: 'wrong password' } })).status, 401)
  const again = await call(`${url}/api/auth/signin`, { body: { email, password } })
  assert.equal(again.status, 200)

  const tasks = `${url}/api/${user.id}/tasks`
  assert.equal((await call(tasks)).status, 401)
  assert.equal((await call(tasks, { token, body: { title: 'Feed the cat' } })).status, 201)
  assert.equal((await call(tasks, { token })).json.data[0].title, 'Feed the cat')
  assert.equal((await call(`${url}/api/somebody-else/tasks`, { token })).status, 403)

  assert.deepEqual((await call(`${url}/api/auth/signout`, { token, body: {} })).json, { success: true })
  assert.equal((await call(tasks, { token })).status, 401, 'signed out at once')
  assert.equal((await call(tasks, { token: again.json.data.token })).status, 200, 'the other session lives on')
  console.log('auth-api: all is well')
} finally {
  await app.close()
  await database.close()
}

async function call(url: string, { token, body }: { token?: string; body?: object } = {}) {
  const reply = await fetch(url, {
    method: body ? 'POST' : 'GET',
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body ? { 'content-type': 'application/json' } : {})
    },
    ...(body ? { body: JSON.stringify(body) } : {})
  })
  return { status: reply.status, json: JSON.parse(await reply.text()) }
}
