// Starts both sides on a throw-away database (or on DATABASE_URL's), walks through the API, and fails if anything is not so.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createTestDatabase } from 'embedded-database/testing'
import { startFrontEnd } from './front-end.ts'
import { buildServer } from './server.ts'

const given = process.env.DATABASE_URL
const database = given ? { connectionString: given, close: async () => {} } : await createTestDatabase()
const shared = {
  secret: randomBytes(32).toString('hex'),
  connectionString: database.connectionString,
  issuer: 'nextjs-frontend',
  audience: 'fastify-backend'
}
const frontEnd = await startFrontEnd(shared)
const app = await buildServer(shared)
try {
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const ada = await frontEnd.signUp('Ada')
  const bob = await frontEnd.signUp('Bob')
  const token = await frontEnd.tokenFor(ada.session)
  const tasks = `${url}/api/${ada.user.id}/tasks`

  assert.equal((await call(tasks, '')).status, 401)
  assert.equal((await call(tasks, await frontEnd.tokenFor(bob.session))).status, 403)

  const created = await call(tasks, token, 'POST', { title: 'Feed the cat' })
  assert.equal(created.status, 201)
  const task = `${url}${created.headers.get('location')}`
  assert.equal((await call(`${task}/toggle`, token, 'PATCH')).json.completed, true)
  assert.equal((await call(task, token, 'PATCH', { title: 'Feed both cats' })).json.title, 'Feed both cats')
  const listed = await call(`${tasks}?completed=true&limit=10`, token)
  assert.equal(listed.json.length, 1)
  assert.equal(listed.headers.get('x-total-count'), '1')
  assert.equal((await call(`${tasks}?limit=101`, token)).status, 400)
  assert.equal((await call(task, token, 'DELETE')).status, 204)
  assert.equal((await call(task, token)).status, 404)
  assert.ok((await call(`${url}/docs/json`, '')).json.paths['/api/{user_id}/tasks/{task_id}'])

  await frontEnd.auth.api.signOut({ headers: ada.session })
  assert.equal((await call(tasks, token)).status, 401, 'signed out over there, refused here')
  console.log('tasks-api: all is well')
} finally {
  await app.close()
  await frontEnd.close()
  await database.close()
}

async function call(url: string, token: string, method = 'GET', body?: object) {
  const reply = await fetch(url, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body ? { 'content-type': 'application/json' } : {})
    },
    ...(body ? { body: JSON.stringify(body) } : {})
  })
  const text = await reply.text()
  return { status: reply.status, headers: reply.headers, json: text ? JSON.parse(text) : null }
}
