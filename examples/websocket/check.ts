// Starts the server on a throw-away database (or on DATABASE_URL's), walks through it, and fails if anything is not so.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { on } from 'node:events'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { createTestDatabase } from 'embedded-database/testing'
import pg from 'pg'
import WebSocket from 'ws'
import { buildServer } from './server.ts'

const given = process.env.DATABASE_URL
const database = given ? { connectionString: given, close: async () => {} } : await createTestDatabase()
const { connectionString } = database
const secret = randomBytes(32).toString('hex')
const page = 'http://localhost:3000'

// The application that signs people in.
const pool = new pg.Pool({ connectionString })
const signIn = { secret, database: pool, baseURL: page, emailAndPassword: { enabled: true } }
await (await getMigrations(signIn)).runMigrations()
const auth = betterAuth(signIn)

const app = await buildServer({ secret, connectionString, trustedOrigins: [page] })
try {
  const url = `${(await app.listen({ port: 0, host: '127.0.0.1' })).replace('http', 'ws')}/echo`
  const { headers, response } = await auth.api.signUpEmail({
    body: {
      name: 'Ada',
      email: `ada-${randomBytes(4).toString('hex')}@example.com`,
      password: 'correct horse battery staple'
    },
    returnHeaders: true
  })
  const cookie = headers
    .getSetCookie()
    .map(line => line.split(';')[0])
    .join('; ')

  assert.equal(await knock(url), 401, 'a stranger is refused before there is a socket')
  assert.equal(await knock(url, { cookie: 'better-auth.session_token=made.up', origin: page }), 401)
  assert.equal(await knock(url, { cookie, origin: 'https://evil.example' }), 403, 'a page of somebody else')
  assert.equal(await knock(`${url}?access_token=made-up`), 401)

  assert.deepEqual(await talk(url, { cookie, origin: page }), ['Welcome, Ada', 'Ada: hello'])
  assert.deepEqual(await talk(`${url}?access_token=${response.token}`), ['Welcome, Ada', 'Ada: hello'])
  console.log('websocket: all is well')
} finally {
  await app.close()
  await pool.end()
  await database.close()
}

/** The status of an upgrade that is refused. */
async function knock(url: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers })
    socket.on('open', () => {
      socket.terminate()
      reject(new Error(`${url} let a stranger in`))
    })
    socket.on('error', reject)
    socket.on('unexpected-response', (_request, response) => {
      response.resume()
      resolve(response.statusCode)
    })
  })
}

/** Says hello, and gives the first two messages that come. */
async function talk(url: string, headers: Record<string, string> = {}): Promise<string[]> {
  const socket = new WebSocket(url, { headers })
  socket.on('open', () => socket.send('hello'))
  const heard: string[] = []
  for await (const [message] of on(socket, 'message', { signal: AbortSignal.timeout(10_000) })) {
    heard.push(String(message))
    if (heard.length === 2) break
  }
  socket.close()
  return heard
}
