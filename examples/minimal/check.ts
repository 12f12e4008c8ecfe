// Starts the server on a throw-away database (or on DATABASE_URL's), walks through it, and fails if anything is not so.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { createTestDatabase } from 'embedded-database/testing'
import { allEvents } from 'fastify-chatkit/testing'
import pg from 'pg'
import { buildServer } from './server.ts'

const given = process.env.DATABASE_URL
const database = given ? { connectionString: given, close: async () => {} } : await createTestDatabase()
const { connectionString } = database
const secret = randomBytes(32).toString('hex')

// The application that signs people in.
const pool = new pg.Pool({ connectionString })
const signIn = { secret, database: pool, baseURL: 'http://localhost:3000', emailAndPassword: { enabled: true } }
await (await getMigrations(signIn)).runMigrations()
const auth = betterAuth(signIn)

const app = await buildServer({ secret, connectionString })
try {
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const ada = await signUp('Ada')
  const bob = await signUp('Bob')

  const stranger = await fetch(`${url}/me`)
  assert.equal(stranger.status, 401)
  assert.equal(stranger.headers.get('www-authenticate'), 'Bearer realm="api"')
  const me = await fetch(`${url}/me`, { headers: { authorization: `Bearer ${ada}` } })
  assert.equal(JSON.parse(await me.text()).name, 'Ada')

  const create = {
    type: 'threads.create',
    params: {
      input: { content: [{ type: 'input_text', text: 'Hello there' }], attachments: [], inference_options: {} }
    }
  }
  assert.equal((await chat(null, create)).status, 401)
  const events = await allEvents(await chat(ada, create))
  const [created] = events.flatMap(event => (event.type === 'thread.created' ? [event.thread] : []))
  assert.ok(created, 'the thread was told of')
  const answer = events.flatMap(event => (event.type === 'thread.item.done' ? [event.item] : [])).at(-1)
  assert.equal(answer?.type === 'assistant_message' && answer.content[0]?.text, 'Hello there')

  const read = { type: 'threads.get_by_id', params: { thread_id: created.id } }
  assert.equal((await chat(ada, read)).status, 200)
  assert.equal((await chat(bob, read)).status, 404, "Ada's threads are not there for Bob")

  await pool.query('delete from session where token = $1', [ada])
  assert.equal((await chat(ada, read)).status, 401, 'signed out at once')
  console.log('minimal: all is well')

  async function chat(token: string | null, body: object): Promise<Response> {
    return fetch(`${url}/chatkit`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify(body)
    })
  }
} finally {
  await app.close()
  await pool.end()
  await database.close()
}

async function signUp(name: string): Promise<string> {
  const email = `${name.toLowerCase()}-${randomBytes(4).toString('hex')}@example.com`
  const { token } = await auth.api.signUpEmail({ body: { name, email, password: 'correct horse battery staple' } })
  assert.ok(token)
  return token
}
