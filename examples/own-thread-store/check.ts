// Holds the store to the contract, then starts the server on a throw-away database (or on DATABASE_URL's), walks through it,
// and fails if anything is not so.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { createTestDatabase } from 'embedded-database/testing'
import { allEvents, threadStoreContract } from 'fastify-chatkit/testing'
import pg from 'pg'
import { fileThreadStore } from './file-thread-store.ts'
import { buildServer } from './server.ts'

const folder = await mkdtemp(join(tmpdir(), 'threads-'))
const given = process.env.DATABASE_URL
const database = given ? { connectionString: given, close: async () => {} } : await createTestDatabase()
const { connectionString } = database
const secret = randomBytes(32).toString('hex')
const pool = new pg.Pool({ connectionString })
try {
  for (const { name, check } of threadStoreContract) {
    try {
      await check(fileThreadStore(join(folder, 'contract')))
    } catch (cause) {
      throw new Error(`The store does not do what the contract says: ${name}`, { cause })
    }
  }

  const signIn = { secret, database: pool, baseURL: 'http://localhost:3000', emailAndPassword: { enabled: true } }
  await (await getMigrations(signIn)).runMigrations()
  const email = `ada-${randomBytes(4).toString('hex')}@example.com`
  const { token } = await betterAuth(signIn).api.signUpEmail({
    body: { name: 'Ada', email, password: 'correct horse battery staple' }
  })
  const threads = join(folder, 'threads')
  const input = { content: [{ type: 'input_text', text: 'Keep this' }], attachments: [], inference_options: {} }
  const events = await withServer(async send => allEvents(await send({ type: 'threads.create', params: { input } })))
  const [created] = events.flatMap(event => (event.type === 'thread.created' ? [event.thread] : []))
  assert.ok(created)
  const read = { type: 'threads.get_by_id', params: { thread_id: created.id } }
  // Another process would find the same.
  const [status, text] = await withServer(async send => {
    const reply = await send(read)
    return [reply.status, await reply.text()] as const
  })
  assert.equal(status, 200)
  assert.equal(text.match(/Keep this/g)?.length, 2, 'the message, and the answer')

  for (const file of await readdir(threads)) await writeFile(join(threads, file), '{')
  assert.equal(
    await withServer(async send => (await send(read)).status),
    503,
    'a file that cannot be read is an outage'
  )
  console.log(`own-thread-store: all is well, and ${threadStoreContract.length} points of the contract are kept`)

  async function withServer<Result>(use: (send: (body: object) => Promise<Response>) => Promise<Result>) {
    const app = await buildServer({ secret, connectionString, folder: threads })
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    try {
      const url = await app.listen({ port: 0, host: '127.0.0.1' })
      return await use(body => fetch(`${url}/chatkit`, { method: 'POST', headers, body: JSON.stringify(body) }))
    } finally {
      await app.close()
    }
  }
} finally {
  await pool.end()
  await database.close()
  await rm(folder, { recursive: true, force: true })
}
