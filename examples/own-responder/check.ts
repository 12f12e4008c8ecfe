// Starts the server on a throw-away database (or on DATABASE_URL's), walks through it, and fails if anything is not so.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { createTestDatabase } from 'embedded-database/testing'
import type { StreamEvent } from 'fastify-chatkit'
import { allEvents, readEvents } from 'fastify-chatkit/testing'
import pg from 'pg'
import { buildServer } from './server.ts'

const given = process.env.DATABASE_URL
const database = given ? { connectionString: given, close: async () => {} } : await createTestDatabase()
const { connectionString } = database
const secret = randomBytes(32).toString('hex')
const pool = new pg.Pool({ connectionString })
const signIn = { secret, database: pool, baseURL: 'http://localhost:3000', emailAndPassword: { enabled: true } }
await (await getMigrations(signIn)).runMigrations()
const email = `ada-${randomBytes(4).toString('hex')}@example.com`
const { token } = await betterAuth(signIn).api.signUpEmail({
  body: { name: 'Ada', email, password: 'correct horse battery staple' }
})

/** Settles when a question that never ends is told to stop. */
let stopped: Promise<void> | undefined
const app = await buildServer({
  secret,
  connectionString,
  source: async function* (question, signal) {
    yield 'It is '
    if (question === 'Wait') {
      stopped = new Promise(resolve => signal.addEventListener('abort', () => resolve()))
      await stopped
    }
    yield 'on its way.'
  }
})
try {
  const url = await app.listen({ port: 0, host: '127.0.0.1' })

  const events = await allEvents(await send(create('Where is order 4711?')))
  const threadId = threadOf(events)
  const kinds = events.map(event => event.type)
  assert.ok(
    kinds.indexOf('progress_update') < kinds.indexOf('thread.item.updated'),
    'first what is going on, then text'
  )
  assert.equal(deltas(events), 'It is on its way.')
  assert.equal(
    events.flatMap(event => (event.type === 'thread.updated' ? [event.thread.title] : [])).at(-1),
    'Where is order 4711?'
  )
  const shown = events.flatMap(event => (event.type === 'thread.item.done' ? [event.item] : [])).at(-1)
  assert.ok(shown?.type === 'widget')
  assert.match(JSON.stringify(shown.widget), /"on its way".*"Stop it"/)

  const pressed = await allEvents(
    await send({
      type: 'threads.custom_action',
      params: { thread_id: threadId, item_id: shown.id, action: { type: 'parcel.stop', payload: { order: '4711' } } }
    })
  )
  const [replaced] = pressed.flatMap(event => (event.type === 'thread.item.replaced' ? [event.item] : []))
  assert.match(JSON.stringify(replaced), /"stopped"/)
  assert.ok(pressed.some(event => event.type === 'client_effect' && event.name === 'parcel_stopped'))

  const stop = new AbortController()
  const begun: StreamEvent[] = []
  try {
    for await (const event of readEvents(await send(create('Wait'), stop.signal))) {
      begun.push(event)
      if (deltas(begun) !== '') stop.abort()
    }
  } catch (error) {
    assert.ok(stop.signal.aborted, String(error))
  }
  await Promise.race([
    stopped,
    sleep(10_000, undefined, { ref: false }).then(() => assert.fail('the source was not told to stop'))
  ])
  assert.match(await storedText(threadOf(begun)), /It is /, 'what was said is kept')
  console.log('own-responder: all is well')

  async function send(body: object, signal: AbortSignal | null = null): Promise<Response> {
    return fetch(`${url}/chatkit`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      signal
    })
  }

  /** The items of a thread once an answer is among them: it is stored a moment after its reader has left. */
  async function storedText(thread_id: string): Promise<string> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const body = await (await send({ type: 'items.list', params: { thread_id } })).text()
      if (body.includes('assistant_message')) return body
      await sleep(50)
    }
    return assert.fail('nothing was stored')
  }
} finally {
  await app.close()
  await pool.end()
  await database.close()
}

function create(text: string): object {
  const input = { content: [{ type: 'input_text', text }], attachments: [], inference_options: {} }
  return { type: 'threads.create', params: { input } }
}

function threadOf(events: StreamEvent[]): string {
  const [created] = events.flatMap(event => (event.type === 'thread.created' ? [event.thread] : []))
  assert.ok(created)
  return created.id
}

function deltas(events: StreamEvent[]): string {
  const text = events.map(event =>
    event.type === 'thread.item.updated' && event.update.type === 'assistant_message.content_part.text_delta'
      ? event.update.delta
      : ''
  )
  return text.join('')
}
