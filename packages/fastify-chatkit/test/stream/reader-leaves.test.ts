import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import Fastify from 'fastify'
import { chatkit, postgresThreadStore, type Turn } from 'fastify-chatkit'
import { memoryThreadStore, readEvents, scriptedResponder } from 'fastify-chatkit/testing'
import t from 'tap'
import { add, buildApp, type Client, create, input, kinds, threadIdOf } from '../fixtures/build-app.ts'
import { migratedDatabase } from '../fixtures/database.ts'
import { until } from '../fixtures/until.ts'

const marker = 'The user cancelled the stream. Stop responding to the prior request.'

/** Posts, reads until so many events have come, and leaves. */
async function leaveAfter(client: Client, body: object, count: number): Promise<string> {
  const controller = new AbortController()
  const response = await client.post(body, { signal: controller.signal })
  const events = []
  for await (const event of readEvents(response)) {
    events.push(event)
    if (events.length === count) break
  }
  controller.abort()
  const [first] = events
  return first?.type === 'thread.created' ? first.thread.id : ''
}

const deltas = (...texts: string[]) =>
  async function* (turn: Turn) {
    const id = turn.newItemId()
    yield { type: 'thread.item.added' as const, item: { type: 'assistant_message' as const, id, content: [] } }
    for (const delta of texts)
      yield {
        type: 'thread.item.updated' as const,
        item_id: id,
        update: { type: 'assistant_message.content_part.text_delta' as const, content_index: 0, delta }
      }
  }

for (const [name, makeStore] of [
  ['in memory', async () => memoryThreadStore()],
  ['in Postgres', async () => postgresThreadStore(await migratedDatabase(t))]
] as const) {
  t.test(`C-1 C-2 C-3 C-4: a reader who leaves ends the answer, and half of it is kept, ${name}`, async t => {
    const store = await makeStore()
    let aborted = ''
    let cleaned = false
    const client = await buildApp(t, {
      threadStore: store,
      async *respond(turn) {
        try {
          yield* deltas('Hello, ', 'wor')(turn)
          await new Promise((_, reject) => turn.signal.addEventListener('abort', () => reject(turn.signal.reason)))
        } finally {
          aborted = String(turn.signal.reason)
          // C-2: the responder tidies up before anything is stored.
          cleaned = (await turn.items.newest()).length === 1
        }
      }
    })
    const id = await leaveAfter(client, create('Hi'), 6)
    const mine = store.forOwner('ada')
    const items = await eventually(async () => {
      const { data } = await mine.listItems(id, { limit: 9, order: 'asc', hidden: true })
      return data.length === 3 ? data : null
    })
    t.match(items, [
      { type: 'user_message' },
      { type: 'assistant_message', content: [{ text: 'Hello, wor' }] },
      { type: 'sdk_hidden_context', content: marker }
    ])
    t.match(items[2]?.id, /^shcx_/)
    t.equal(aborted, 'left')
    t.ok(cleaned)
    const { body } = await client.json({ type: 'items.list', params: { thread_id: id, order: 'asc' } })
    t.strictSame(
      body.data.map((item: { type: string }) => item.type),
      ['user_message', 'assistant_message'],
      'C-4: nobody sees the marker'
    )
    t.strictSame(
      client.logged.filter(line => Number(line.level) >= 50),
      [],
      'leaving is no error'
    )
  })
}

t.test('C-5 DV-7: a change of the thread is kept when the reader leaves', async t => {
  const store = memoryThreadStore()
  const client = await buildApp(t, {
    threadStore: store,
    respond: scriptedResponder([
      turn => {
        turn.thread.title = 'Half'
        turn.thread.metadata.step = 1
      },
      { waitMs: 60_000 }
    ]).respond
  })
  const id = await leaveAfter(client, create('Hi'), 3)
  const thread = await eventually(async () => {
    const found = await store.forOwner('ada').findThread(id)
    return found?.title ? found : null
  })
  t.match(thread, { title: 'Half', metadata: { step: 1 } })
})

t.test('C-7 C-8: leaving before anything was said is noted too, even where the reader may not cancel', async t => {
  const store = memoryThreadStore()
  const client = await buildApp(t, {
    threadStore: store,
    streamOptions: () => ({ allow_cancel: false }),
    respond: scriptedResponder([{ waitMs: 60_000 }]).respond
  })
  const id = await leaveAfter(client, create('Hi'), 3)
  const items = await eventually(async () => {
    const { data } = await store.forOwner('ada').listItems(id, { limit: 9, order: 'asc', hidden: true })
    return data.length === 2 ? data : null
  })
  t.match(items[1], { type: 'sdk_hidden_context' })
})

t.test('C-9: a responder that ignores the signal cannot hold the thread', async t => {
  const store = memoryThreadStore()
  let turns = 0
  const client = await buildApp(t, {
    threadStore: store,
    async *respond(turn) {
      if (++turns > 1) return
      yield* deltas('never ending')(turn)
      await new Promise(() => undefined)
    }
  })
  const id = await leaveAfter(client, create('Hi'), 5)
  const events = await client.events(add(id, 'Next'))
  t.equal(events[0]?.type, 'thread.item.done')
  const { data } = await store.forOwner('ada').listItems(id, { limit: 9, order: 'asc', hidden: true })
  t.strictSame(
    data.map(item => item.type),
    ['user_message', 'assistant_message', 'sdk_hidden_context', 'user_message']
  )
})

t.test('C-9: nor can a hook that never says what the reader may do', async t => {
  let asked = 0
  const client = await buildApp(t, {
    streamOptions: () => (++asked > 1 ? { allow_cancel: true } : new Promise<never>(() => undefined))
  })
  const id = await leaveAfter(client, create('Hi'), 2)
  t.match((await client.events(add(id, 'Next'))).at(-1), { type: 'thread.item.done' })
})

t.test('a request with a body does not look as if its reader had left', async t => {
  const script = scriptedResponder([{ say: 'a' }, { waitMs: 300 }, { say: 'b' }])
  const client = await buildApp(t, { respond: script.respond })
  const events = await client.events(create('Hi', { quoted_text: 'x'.repeat(50_000) }))
  t.equal(events.length, 5)
  script.finish()
})

t.test('whoever leaves before an answer in JSON stops what makes it', async t => {
  let reason: unknown
  let asked = false
  const client = await buildApp(t, {
    async transcribe({ signal }) {
      asked = true
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
      reason = signal.reason
      return ''
    }
  })
  const controller = new AbortController()
  const body = { type: 'input.transcribe', params: { audio_base64: '', mime_type: 'audio/webm' } }
  const response = client.post(body, { signal: controller.signal })
  await until(() => asked)
  controller.abort()
  await t.rejects(response)
  t.equal(await eventually(async () => (reason ? String(reason) : null)), 'left')
})

t.test('C-6: a reader who does not read holds up the responder', async t => {
  let made = 0
  const client = await buildApp(t, {
    async *respond(turn) {
      const id = turn.newItemId()
      yield { type: 'thread.item.added', item: { type: 'assistant_message', id, content: [] } }
      for (; made < 100_000; made++) {
        const delta = 'x'.repeat(1000)
        yield {
          type: 'thread.item.updated',
          item_id: id,
          update: { type: 'assistant_message.content_part.text_delta', content_index: 0, delta }
        }
      }
    }
  })
  const socket = await postWithoutReading(client.url)
  let last = -1
  while (made <= 10 || made !== last) {
    last = made
    await wait(300)
  }
  t.ok(made > 10 && made < 30_000, `${made} of 100,000 deltas were made for nobody`)
  const other = await client.json({ type: 'threads.list', params: {} })
  t.equal(other.status, 200, 'others are served meanwhile')
  socket.destroy()
  await eventually(async () => {
    const { body } = await client.json({ type: 'threads.list', params: {} })
    return body.data.length === 1 ? true : null
  })
})

t.test('40: a thread deleted under its answer ends it quietly', async t => {
  const store = memoryThreadStore()
  const client = await buildApp(t, {
    threadStore: store,
    async *respond(turn) {
      yield* deltas('a')(turn)
      await wait(60_000, undefined, { signal: turn.signal })
    }
  })
  const response = await client.post(create('Hi'))
  const events = []
  for await (const event of readEvents(response)) {
    events.push(event)
    if (events.length === 5) await client.json({ type: 'threads.delete', params: { thread_id: threadIdOf(events) } })
  }
  t.equal(events.length, 5, 'the stream ends properly, without an error')
  t.strictSame((await client.json({ type: 'threads.list', params: {} })).body.data, [])
})

t.test('40: a thread deleted before its answer has begun ends it as well', { timeout: 10_000 }, async t => {
  const memory = memoryThreadStore()
  let deleteIt = async () => {}
  const client = await buildApp(t, {
    threadStore: {
      ...memory,
      forOwner(owner) {
        const threads = memory.forOwner(owner)
        return {
          ...threads,
          async transaction(work) {
            const result = await threads.transaction(work)
            await deleteIt()
            return result
          }
        }
      }
    }
  })
  const id = threadIdOf(await client.events(create('Hi')))
  deleteIt = async () => void (await client.json({ type: 'threads.delete', params: { thread_id: id } }))
  const events = await client.events(add(id, 'too late'))
  t.strictSame(kinds(events), ['user_message done', 'stream_options'], 'the stream ends properly')
})

t.test('a server that closes ends its streams, and keeps what was said', async t => {
  const store = memoryThreadStore()
  const client = await buildApp(t, {
    threadStore: store,
    async *respond(turn) {
      yield* deltas('half')(turn)
      await wait(60_000, undefined, { signal: turn.signal })
    }
  })
  const response = await client.post(create('Hi'))
  const events = []
  for await (const event of readEvents(response)) {
    events.push(event)
    if (events.length === 5) void client.app.close()
  }
  t.match(events.slice(5), [
    { type: 'thread.item.done', item: { content: [{ text: 'half' }] } },
    { type: 'error', code: 'stream.error', allow_retry: true }
  ])
  const { data } = await store.forOwner('ada').listItems(threadIdOf(events), { limit: 9, order: 'asc', hidden: true })
  t.strictSame(
    data.map(item => item.type),
    ['user_message', 'assistant_message'],
    'the reader did not stop it'
  )
})

t.test('a server that closes does not wait for a reader who does not read', { timeout: 30_000 }, async t => {
  const app = Fastify()
  let made = 0
  await app.register(chatkit, {
    owner: () => 'ada',
    threadStore: memoryThreadStore(),
    async *respond(turn) {
      const endless = Array.from({ length: 10_000 }, () => 'x'.repeat(1000))
      for await (const event of deltas(...endless)(turn)) {
        made++
        yield event
      }
    }
  })
  const socket = await postWithoutReading(`${await app.listen({ port: 0, host: '127.0.0.1' })}/chatkit`)
  await until(() => made > 10)
  await app.close()
  t.ok(made < 10_000)
  socket.destroy()
})

t.test('a stream may last only so long', async t => {
  const client = await buildApp(t, {
    limits: { streamMs: 200 },
    async *respond(turn) {
      yield* deltas('half')(turn)
      await new Promise(() => undefined)
    }
  })
  const events = await client.events({ type: 'threads.create', params: { input: input('Hi') } })
  t.match(events.slice(5), [
    { type: 'thread.item.done', item: { content: [{ text: 'half' }] } },
    { type: 'error', code: 'stream.error' }
  ])
})

/** Sends a message over a connection from which nothing is ever read. */
async function postWithoutReading(url: string) {
  const { hostname, port, pathname } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  await once(socket, 'connect')
  socket.pause()
  const body = JSON.stringify(create('Hi'))
  socket.write(
    `POST ${pathname} HTTP/1.1\r\nhost: x\r\nx-user: ada\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  )
  return socket
}

/** What a look gives, once it gives something. */
async function eventually<Value>(look: () => Promise<Value | null>): Promise<Value> {
  let found: Value | null = null
  await until(async () => {
    found = await look()
    return found !== null
  })
  return found as Value
}
