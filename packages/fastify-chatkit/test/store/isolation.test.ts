import http from 'node:http'
import fc from 'fast-check'
import { postgresThreadStore, say } from 'fastify-chatkit'
import t from 'tap'
import { buildApp, input } from '../fixtures/build-app.ts'
import { migratedDatabase } from '../fixtures/database.ts'

const operations = 10_000
const owners = ['ada', 'bob'] as const
const marks = { ada: 'only-for-ada', bob: 'only-for-bob' }

// What to do, for whom, and with which of the ids that were seen by either of them.
const operation = fc.record({
  owner: fc.constantFrom(...owners),
  what: fc.constantFrom(
    'create',
    'add',
    'list',
    'items',
    'get',
    'update',
    'delete',
    'retry',
    'feedback',
    'attach',
    'detach',
    'use',
    'action'
  ),
  thread: fc.nat(),
  item: fc.nat(),
  attachment: fc.nat(),
  order: fc.constantFrom('asc', 'desc'),
  limit: fc.integer({ min: 1, max: 30 })
})
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never

t.test(`two owners, ${operations} random operations side by side: nothing crosses`, { timeout: 300_000 }, async t => {
  const { url } = await buildApp(t, {
    threadStore: postgresThreadStore(await migratedDatabase(t)),
    limits: { openStreams: 1000 },
    respond: turn => say(turn, `${marks[turn.owner as 'ada' | 'bob']} answer`),
    syncAction: turn => ({ type: 'end_of_turn', id: turn.thread.id }),
    attachments: { create: async ({ owner }) => ({ metadata: { owner } }), delete: async () => undefined }
  })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 24 })
  t.teardown(() => agent.destroy())
  const threads: string[] = []
  const items: string[] = []
  const attachments: string[] = []
  const owned = new Map<string, string>()

  const post = (owner: string, body: object) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const request = http.request(url, {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json', 'x-user': owner }
      })
      request.on('error', reject)
      request.on('response', response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
        response.on('error', reject)
      })
      request.end(JSON.stringify(body))
    })

  const run = async (one: Operation) => {
    const other = one.owner === 'ada' ? 'bob' : 'ada'
    const { status, text } = await post(one.owner, requestOf(one))
    if (status >= 500) throw new Error(`${one.what}: ${status} ${text}`)
    if (text.includes(marks[other])) throw new Error(`${one.what}: ${one.owner} reads what is ${other}’s: ${text}`)
    for (const [, id = '', prefix] of text.matchAll(/"((thr|msg|atc|eot)_[0-9a-f]{24})"/g)) {
      const holder = owned.get(id) ?? one.owner
      if (holder !== one.owner) throw new Error(`${one.what}: ${one.owner} is told of ${holder}’s ${id}`)
      if (!owned.has(id)) {
        owned.set(id, one.owner)
        if (prefix === 'thr') threads.push(id)
        else if (prefix === 'atc') attachments.push(id)
        else items.push(id)
      }
    }
  }

  function requestOf({ owner, what, thread, item, attachment, order, limit }: Operation): object {
    const thread_id = threads[thread % threads.length] ?? 'thr_none'
    const item_id = items[item % items.length] ?? 'msg_none'
    const attachment_id = attachments[attachment % attachments.length] ?? 'atc_none'
    const text = `${marks[owner]} ${thread}`
    const make = (type: string, params: object) => ({ type, params })
    switch (what) {
      case 'create':
        return make('threads.create', { input: input(text) })
      case 'add':
        return make('threads.add_user_message', { thread_id, input: input(text) })
      case 'list':
        return make('threads.list', { limit, order, ...(item % 2 ? { after: thread_id } : {}) })
      case 'items':
        return make('items.list', { thread_id, limit, order, ...(item % 2 ? { after: item_id } : {}) })
      case 'get':
        return make('threads.get_by_id', { thread_id })
      case 'update':
        return make('threads.update', { thread_id, title: text })
      case 'delete':
        // Seldom, so that there is something to try on.
        return thread % 5 ? make('threads.get_by_id', { thread_id }) : make('threads.delete', { thread_id })
      case 'retry':
        return make('threads.retry_after_item', { thread_id, item_id })
      case 'feedback':
        return make('items.feedback', { thread_id, item_ids: [item_id], kind: 'positive' })
      case 'attach':
        return make('attachments.create', { name: text, size: 1, mime_type: 'text/plain' })
      case 'detach':
        return attachment % 5 ? make('threads.list', {}) : make('attachments.delete', { attachment_id })
      case 'use':
        return make('threads.create', { input: input(text, { attachments: [attachment_id] }) })
      default:
        return make('threads.sync_custom_action', { thread_id, action: { type: 'x' } })
    }
  }

  const property = fc.asyncProperty(
    fc.array(operation, { minLength: operations, maxLength: operations, size: 'max' }),
    async all => {
      const left = all.values()
      const worker = async () => {
        for (const one of left) await run(one)
      }
      await Promise.all(Array.from({ length: 24 }, worker))
    }
  )
  await fc.assert(property, { numRuns: 1, endOnFailure: true })
  t.ok(threads.length > 500, `${threads.length} threads, ${items.length} items, ${attachments.length} attachments`)
  for (const owner of owners) {
    const { text } = await post(owner, { type: 'threads.list', params: { limit: 9999 } })
    for (const { id } of JSON.parse(text).data) {
      t.equal(owned.get(id), owner)
      const { text: page } = await post(owner, { type: 'items.list', params: { thread_id: id, limit: 9999 } })
      t.notMatch(page, marks[owner === 'ada' ? 'bob' : 'ada'])
    }
  }
})
