import { tracingChannel } from 'node:diagnostics_channel'
import { ChatKitStreamError, type OwnedThreads, type ThreadStore, TURN_CHANNEL, type TurnTrace } from 'fastify-chatkit'
import { memoryThreadStore, scriptedResponder } from 'fastify-chatkit/testing'
import t from 'tap'
import { add, buildApp, create, kinds, threadIdOf } from '../fixtures/build-app.ts'

t.test('E-1 E-5: an error that is meant for the reader is told as it is, and the stream ends properly', async t => {
  const cases: [ConstructorParameters<typeof ChatKitStreamError>[0], object][] = [
    [{ message: 'Sorry' }, { type: 'error', code: 'custom', message: 'Sorry', allow_retry: false }],
    [
      { message: 'Again?', allowRetry: true },
      { type: 'error', code: 'custom', message: 'Again?', allow_retry: true }
    ],
    [{}, { type: 'error', code: 'stream.error', allow_retry: true }],
    [
      { code: 'quota.used', allowRetry: false },
      { type: 'error', code: 'quota.used', allow_retry: false }
    ],
    [
      { code: 'a.b', message: 'm' },
      { type: 'error', code: 'a.b', message: 'm', allow_retry: false }
    ]
  ]
  for (const [error, told] of cases) {
    const script = scriptedResponder([{ say: 'before' }, { throw: new ChatKitStreamError(error) }])
    const { events, logged } = await buildApp(t, { respond: script.respond })
    t.strictSame((await events(create('x'))).slice(4), [told])
    t.strictSame(
      logged.filter(line => Number(line.level) >= 50),
      [],
      'and is not logged'
    )
  }
})

t.test('any other error is told without its text, and logged with thread and request', async t => {
  for (const thrown of [new Error('secret detail'), 'secret detail', null, undefined, { secret: 'detail' }]) {
    const script = scriptedResponder([{ throw: thrown }])
    const { post, logged } = await buildApp(t, { respond: script.respond })
    const raw = await (await post(create('x'))).text()
    t.match(raw, /data: \{"type":"error","code":"stream.error","allow_retry":true\}\n\n$/)
    t.notMatch(raw, /secret|detail/)
    const lines = logged.filter(line => line.level === 50)
    t.equal(lines.length, 1)
    t.match(lines[0], { threadId: /^thr_/, requestId: /^req-/, reqId: /^req-/, msg: 'A responder failed' })
  }
})

t.test('a responder that fails at once, or gives nothing to iterate, is an error like any other', async t => {
  const throws = () => {
    throw new Error('at once')
  }
  for (const respond of [throws, () => undefined as never, () => 5 as never, (async () => []) as never]) {
    const { events } = await buildApp(t, { respond })
    t.strictSame((await events(create('x'))).slice(3), [{ type: 'error', code: 'stream.error', allow_retry: true }])
  }
  const { events } = await buildApp(t, { streamOptions: throws })
  t.strictSame(kinds(await events(create('x'))), ['thread.created', 'user_message done', 'error'])
})

const delta = (item_id: string, text: string, content_index = 0) => ({
  type: 'thread.item.updated' as const,
  item_id,
  update: { type: 'assistant_message.content_part.text_delta' as const, content_index, delta: text }
})

t.test('E-2 DV-6: what was done stays, what was half done is kept, and told, before the error', async t => {
  const script = scriptedResponder([
    { say: 'done' },
    { type: 'thread.item.added', item: { type: 'assistant_message', id: 'half', content: [] } },
    delta('half', 'half an ans'),
    { type: 'thread.item.added', item: { type: 'assistant_message', id: 'blank', content: [] } },
    delta('blank', ' \n'),
    { throw: new Error('boom') }
  ])
  const { events, json } = await buildApp(t, { respond: script.respond })
  const told = await events(create('x'))
  t.match(told.slice(-2), [
    { type: 'thread.item.done', item: { id: 'half', content: [{ text: 'half an ans' }] } },
    { type: 'error' }
  ])
  const { body } = await json({ type: 'items.list', params: { thread_id: threadIdOf(told), order: 'asc' } })
  t.match(body.data.slice(1), [{ content: [{ text: 'done' }] }, { id: 'half' }])
  t.equal(body.data.length, 3, 'white space alone is not worth keeping; nor is there a marker')
})

t.test('what is kept of a half answer is what the reader had of it, in the order it came', async t => {
  const begun = (id: string, text: string) => ({
    type: 'assistant_message' as const,
    id,
    content: text === '' ? [] : [{ type: 'output_text' as const, text, annotations: [] }]
  })
  const numbers = Array.from({ length: 700 }, (_, index) => `${index} `)
  const script = scriptedResponder([
    { type: 'thread.item.added', item: begun('long', '') },
    { type: 'thread.item.added', item: begun('other', '') },
    ...numbers.map(text => delta('long', text)),
    delta('other', 'a'),
    delta('long', 'end'),
    delta('other', 'b'),
    delta('other', 'second', 1),
    delta('other', 'c'),
    { type: 'thread.item.added', item: begun('anew', '') },
    delta('anew', 'dropped'),
    { type: 'thread.item.added', item: begun('anew', 'anew, ') },
    delta('anew', 'and on'),
    { throw: new Error('boom') }
  ])
  const { events } = await buildApp(t, { respond: script.respond })
  const kept = (await events(create('x'))).flatMap(event =>
    event.type === 'thread.item.done' && event.item.type === 'assistant_message'
      ? [event.item.content.map(part => part.text)]
      : []
  )
  t.strictSame(kept, [[`${numbers.join('')}end`], ['abc', 'second'], ['anew, and on']])
})

t.test(
  'E-3 O-7: a change of the thread is saved, and told, after the event that followed it, and after an error',
  async t => {
    const script = scriptedResponder(
      [
        { say: 'a' },
        turn => {
          turn.thread.title = 'First'
        },
        { say: 'b' },
        { say: 'c' },
        turn => {
          turn.thread.status = { type: 'locked', reason: 'why' }
          turn.thread.allowed_image_domains = ['a.example']
        }
      ],
      [
        turn => {
          turn.thread.metadata.deep = { n: 1 }
        },
        { say: 'a' },
        turn => {
          Object.assign(turn.thread.metadata.deep as object, { n: 2 })
        },
        { say: 'b' },
        turn => {
          turn.thread.title = null
          turn.thread.allowed_image_domains = null
        },
        { throw: new Error('x') }
      ],
      [{ say: 'nothing changed' }]
    )
    const { events, json } = await buildApp(t, { respond: script.respond })
    const told = await events(create('x'))
    t.strictSame(kinds(told).slice(3), [
      'assistant_message done',
      'assistant_message done',
      'thread.updated',
      'assistant_message done',
      'thread.updated'
    ])
    t.match(told[5], { thread: { title: 'First', status: { type: 'active' }, items: { data: [] } } })
    t.match(told[7], { thread: { status: { type: 'locked', reason: 'why' }, allowed_image_domains: ['a.example'] } })
    const thread_id = threadIdOf(told)
    const again = await events(add(thread_id, 'y'))
    t.strictSame(kinds(again).slice(2), [
      'assistant_message done',
      'thread.updated',
      'assistant_message done',
      'thread.updated',
      'error',
      'thread.updated'
    ])
    t.strictSame(again.at(-1), {
      type: 'thread.updated',
      thread: {
        id: thread_id,
        created_at: (again.at(-1) as { thread: { created_at: string } }).thread.created_at,
        status: { type: 'locked', reason: 'why' },
        metadata: {},
        items: { data: [], has_more: false }
      }
    })
    t.strictSame(kinds(await events(add(thread_id, 'z'))).slice(2), ['assistant_message done'])
    t.match(script.turns[2]?.thread, { metadata: { deep: { n: 2 } } })
    const { body } = await json({ type: 'threads.list', params: {} })
    t.notOk('title' in body.data[0])
  }
)

t.test('a status no thread can have is the responder’s error', async t => {
  const script = scriptedResponder([
    turn => {
      turn.thread.status = { type: 'asleep' } as never
    },
    { say: 'a' }
  ])
  const { events, json } = await buildApp(t, { respond: script.respond })
  const told = await events(create('x'))
  t.strictSame(kinds(told).slice(3), ['assistant_message done', 'error'])
  t.match((await json({ type: 'threads.list', params: {} })).body.data[0].status, { type: 'active' })
})

t.test('a rename while an answer is written is not undone by it', async t => {
  const script = scriptedResponder([
    async turn => {
      await rename(turn.thread.id)
      turn.thread.metadata.seen = true
    },
    { say: 'a' }
  ])
  const store = memoryThreadStore()
  const { events, json } = await buildApp(t, { respond: script.respond, threadStore: store })
  const rename = (thread_id: string) => json({ type: 'threads.update', params: { thread_id, title: 'Mine' } })
  const told = await events(create('x'))
  t.match(await store.forOwner('ada').findThread(threadIdOf(told)), { title: 'Mine', metadata: { seen: true } })
})

t.test('a name that was given while an answer is written is not overruled by the answer', async t => {
  const script = scriptedResponder([
    { say: 'One' },
    async turn => {
      await rename(turn.thread.id)
      turn.thread.title = 'The model’s'
      turn.thread.metadata.named = true
    },
    { say: 'Two' },
    turn => {
      t.equal(turn.thread.title, 'Mine', 'the responder sees it')
      turn.thread.title = 'The model’s, knowing mine'
    },
    { say: 'Three' }
  ])
  const store = memoryThreadStore()
  const { events, json } = await buildApp(t, { respond: script.respond, threadStore: store })
  const rename = (thread_id: string) => json({ type: 'threads.update', params: { thread_id, title: 'Mine' } })
  const told = await events(create('x'))
  const titles = told.flatMap(event => (event.type === 'thread.updated' ? [event.thread.title] : []))
  t.strictSame(titles, ['Mine', 'The model’s, knowing mine'])
  t.match(await store.forOwner('ada').findThread(threadIdOf(told)), {
    title: 'The model’s, knowing mine',
    metadata: { named: true }
  })
})

t.test('a change of the thread that could not be saved is saved at the end, if the store is back', async t => {
  const memory = memoryThreadStore()
  let failures = 1
  const store: ThreadStore = {
    ...memory,
    forOwner: owner => ({
      ...memory.forOwner(owner),
      updateThread: async (id, changes) => {
        if (failures-- > 0) throw new Error('Connection terminated unexpectedly')
        return await memory.forOwner(owner).updateThread(id, changes)
      }
    })
  }
  const script = scriptedResponder([
    turn => {
      turn.thread.metadata.response_id = 'resp_1'
    },
    { say: 'a' },
    { say: 'never' }
  ])
  const { events } = await buildApp(t, { respond: script.respond, threadStore: store })
  const told = await events(create('x'))
  t.strictSame(kinds(told).slice(3), ['assistant_message done', 'error', 'thread.updated'])
  t.match(await memory.forOwner('ada').findThread(threadIdOf(told)), { metadata: { response_id: 'resp_1' } })
})

t.test('E-4: an id that is taken ends the stream; the item that has it stays', async t => {
  const item = { type: 'end_of_turn' as const, id: 'same' }
  const script = scriptedResponder([
    { type: 'thread.item.done', item },
    { type: 'thread.item.done', item },
    { say: 'never' }
  ])
  const { events, json } = await buildApp(t, { respond: script.respond })
  const told = await events(create('x'))
  t.strictSame(kinds(told).slice(3), ['end_of_turn done', 'error'])
  const { body } = await json({ type: 'items.list', params: { thread_id: threadIdOf(told) } })
  t.equal(body.data.length, 2)
})

t.test('E-4: half an answer takes the place of nothing the thread has, whatever id it was given', async t => {
  const begun = (text: string) => ({
    type: 'assistant_message' as const,
    id: 'fake_id',
    content: [{ text }]
  })
  const script = scriptedResponder(
    [{ type: 'thread.item.done', item: begun('the first answer') }],
    [
      { type: 'thread.item.added', item: begun('') },
      delta('fake_id', 'the second'),
      { type: 'thread.item.done', item: begun('the second answer') }
    ],
    [
      { type: 'thread.item.added', item: begun('') },
      delta('fake_id', 'the third'),
      { type: 'thread.item.added', item: { ...begun('half of it'), id: 'new_id' } },
      { throw: new Error('boom') }
    ],
    [
      { type: 'thread.item.added', item: begun('') },
      { type: 'thread.item.replaced', item: begun('put there by this answer, ') },
      delta('fake_id', 'which may go on'),
      { throw: new Error('boom') }
    ]
  )
  const { events, json } = await buildApp(t, { respond: script.respond })
  const thread_id = threadIdOf(await events(create('x')))
  const stored = async () => {
    const { body } = await json({ type: 'items.list', params: { thread_id, order: 'asc' } })
    return body.data
      .filter((item: { type: string }) => item.type === 'assistant_message')
      .map((item: { content: { text: string }[] }) => item.content[0]?.text)
  }
  t.strictSame(kinds(await events(add(thread_id, 'y'))).slice(2), ['assistant_message added', 'text_delta', 'error'])
  t.strictSame(await stored(), ['the first answer'])
  t.match((await events(add(thread_id, 'z'))).slice(-2), [{ item: { id: 'new_id' } }, { type: 'error' }])
  t.strictSame(await stored(), ['the first answer', 'half of it'])
  await events(add(thread_id, 'and on'))
  t.strictSame(await stored(), ['put there by this answer, which may go on', 'half of it'])
})

t.test('a store that is away is a 503 before the first byte, and an error event after it', async t => {
  const memory = memoryThreadStore()
  let away = false
  const store: ThreadStore = {
    ...memory,
    forOwner(owner) {
      const threads = memory.forOwner(owner)
      return new Proxy(threads, {
        get: (target, name) =>
          away && name !== 'then'
            ? () => Promise.reject(new Error('connect ECONNREFUSED 10.1.2.3:5432'))
            : target[name as keyof OwnedThreads]
      })
    }
  }
  const script = scriptedResponder(
    [
      { say: 'stored' },
      () => {
        away = true
      },
      { say: 'not stored' }
    ],
    [{ say: 'back again' }]
  )
  const { events, json, post, logged } = await buildApp(t, { respond: script.respond, threadStore: store })
  const told = await events(create('x'))
  t.strictSame(told.slice(4), [{ type: 'error', code: 'stream.error', allow_retry: true }])
  const thread_id = threadIdOf(told)
  for (const body of [
    create('x'),
    add(thread_id, 'x'),
    { type: 'threads.list', params: {} },
    { type: 'threads.delete', params: { thread_id } },
    { type: 'threads.custom_action', params: { thread_id, action: { type: 'x' } } }
  ]) {
    const { status, body: answer } = await json(body)
    if ((body as { type: string }).type === 'threads.custom_action') t.equal(status, 400, 'no hook for it')
    else t.match({ status, answer }, { status: 503, answer: { code: 'FST_CHATKIT_STORE_UNAVAILABLE' } })
    t.notMatch(JSON.stringify(answer), 'ECONNREFUSED')
  }
  t.match(JSON.stringify(logged), 'ECONNREFUSED', 'the log has the cause')
  away = false
  t.equal((await post(add(thread_id, 'y'))).status, 200, 'and the same process goes on when it is back')
})

t.test('a yielded error event does not end the stream', async t => {
  const script = scriptedResponder([{ type: 'error', message: 'soft' }, { say: 'after' }])
  const { events } = await buildApp(t, { respond: script.respond })
  t.strictSame(kinds(await events(create('x'))).slice(3), ['error', 'assistant_message done'])
})

t.test('an item that was begun and dropped by a responder that ends is not kept', async t => {
  const script = scriptedResponder([
    { type: 'thread.item.added', item: { type: 'assistant_message', id: 'm', content: [{ text: 'never mind' }] } }
  ])
  const { events, json } = await buildApp(t, { respond: script.respond })
  const told = await events(create('x'))
  const { body } = await json({ type: 'items.list', params: { thread_id: threadIdOf(told) } })
  t.equal(body.data.length, 1)
})

t.test('whoever watches is told when each answer begins, and how it ended', async t => {
  const channel = tracingChannel<typeof TURN_CHANNEL, TurnTrace>(TURN_CHANNEL)
  const begun: TurnTrace[] = []
  const ended: TurnTrace[] = []
  const watcher = {
    start: (trace: TurnTrace) => void begun.push({ ...trace }),
    end: () => {},
    asyncStart: () => {},
    asyncEnd: (trace: TurnTrace) => void ended.push({ ...trace }),
    error: () => {}
  }
  channel.subscribe(watcher)
  t.teardown(() => channel.unsubscribe(watcher))
  const script = scriptedResponder([{ say: ['Hel', 'lo'] }], [{ say: 'Half' }, { throw: new Error('secret detail') }])
  const { events } = await buildApp(t, { respond: script.respond })
  const threadId = threadIdOf(await events(create('x')))
  await events(add(threadId, 'y'))

  const common = { threadId, requestId: /^req-/ }
  t.match(begun, [
    { ...common, outcome: null, events: 0, durationMs: null },
    { ...common, outcome: null }
  ])
  t.match(ended, [
    { ...common, outcome: 'done', deltas: Number, durationMs: Number },
    { ...common, outcome: 'failed', durationMs: Number }
  ])
  const [done] = ended
  t.ok(done && done.deltas >= 1 && done.events > done.deltas && (done.firstDeltaMs ?? -1) >= 0, JSON.stringify(done))
  t.notMatch(JSON.stringify(ended), /Hel|Half|secret/)
})
