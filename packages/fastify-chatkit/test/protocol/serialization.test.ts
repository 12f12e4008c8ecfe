import { idPrefixes, itemTypes, newId, parseItem } from 'fastify-chatkit'
import { memoryThreadStore, scriptedResponder } from 'fastify-chatkit/testing'
import t from 'tap'
import { operationTypes } from '../../src/operation/registry.ts'
import { eventTypes } from '../../src/protocol/event.ts'
import { updateTypes } from '../../src/protocol/item/registry.ts'
import { buildApp, create, threadIdOf } from '../fixtures/build-app.ts'

t.test('the vocabulary is the whole protocol: 16 requests, 12 events, 11 items, 10 updates', async t => {
  t.strictSame([operationTypes.length, eventTypes.length, itemTypes.length, updateTypes.length], [16, 12, 11, 10])
})

const nulls = { a: null, b: [null, { c: null }], d: {} }

// Every item in its shortest form, and as it goes out.
const shortest = [
  [
    { type: 'assistant_message', content: [{ type: 'output_text', text: 'x', annotations: null }] },
    null,
    'null is no default'
  ],
  [
    { type: 'assistant_message', content: [{ text: 'x' }] },
    { type: 'assistant_message', content: [{ type: 'output_text', text: 'x', annotations: [] }] },
    'S-2'
  ],
  [
    {
      type: 'assistant_message',
      content: [
        {
          text: 'x',
          annotations: [
            { source: { type: 'entity', id: 'e', title: 'E', icon: null, data: nulls }, index: null },
            { source: { type: 'url', url: 'https://e.example', title: 'U', description: null }, index: 3 }
          ]
        }
      ]
    },
    {
      type: 'assistant_message',
      content: [
        {
          type: 'output_text',
          text: 'x',
          annotations: [
            { type: 'annotation', source: { type: 'entity', id: 'e', title: 'E', interactive: false, data: nulls } },
            { type: 'annotation', source: { type: 'url', url: 'https://e.example', title: 'U' }, index: 3 }
          ]
        }
      ]
    },
    'S-1 S-2 S-3'
  ],
  [
    { type: 'client_tool_call', call_id: 'c', name: 'n', arguments: nulls, output: null },
    { type: 'client_tool_call', status: 'pending', call_id: 'c', name: 'n', arguments: nulls },
    'S-1 S-3'
  ],
  [
    { type: 'client_tool_call', status: 'completed', call_id: 'c', name: 'n', arguments: {}, output: nulls },
    { type: 'client_tool_call', status: 'completed', call_id: 'c', name: 'n', arguments: {}, output: nulls },
    'S-3'
  ],
  [
    {
      type: 'widget',
      copy_text: null,
      widget: {
        type: 'Card',
        size: null,
        children: [null, { type: 'Button', onClickAction: { type: 'go', payload: nulls } }]
      }
    },
    {
      type: 'widget',
      widget: {
        type: 'Card',
        children: [
          {
            type: 'Button',
            onClickAction: {
              type: 'go',
              payload: { b: [{}], d: {} },
              handler: 'server',
              loadingBehavior: 'auto',
              streaming: true
            }
          }
        ]
      }
    },
    'S-4'
  ],
  [
    {
      type: 'widget',
      widget: {
        type: 'Card',
        children: [{ type: 'DatePicker', defaultValue: new Date(0), flex: Number.NaN }, Number.NaN]
      }
    },
    {
      type: 'widget',
      widget: { type: 'Card', children: [{ type: 'DatePicker', defaultValue: '1970-01-01T00:00:00.000Z' }] }
    },
    'S-4: as JSON has it, which would have null for what is no number'
  ],
  [{ type: 'generated_image', image: null }, { type: 'generated_image' }, 'S-1'],
  [
    {
      type: 'structured_input',
      inputs: [
        { type: 'multiple_choice', id: 'a', question: 'Q', options: [{ value: 'x' }] },
        { type: 'freeform', id: 'b', question: 'Q', answer: { values: null } }
      ]
    },
    null,
    'null is no default'
  ],
  [
    {
      type: 'structured_input',
      inputs: [
        { type: 'multiple_choice', id: 'a', question: 'Q', options: [{ value: 'x' }] },
        { type: 'freeform', id: 'b', question: 'Q', description: null, answer: {} }
      ]
    },
    {
      type: 'structured_input',
      status: 'pending',
      inputs: [
        { type: 'multiple_choice', id: 'a', question: 'Q', options: [{ value: 'x' }], multiple: false },
        { type: 'freeform', id: 'b', question: 'Q', answer: { values: [], skipped: false } }
      ]
    },
    'S-1 S-2'
  ],
  [
    { type: 'task', task: { type: 'web_search', title: null } },
    { type: 'task', task: { type: 'web_search', status_indicator: 'none', queries: [], sources: [] } },
    'S-1 S-2'
  ],
  [
    {
      type: 'workflow',
      workflow: { type: 'reasoning', tasks: [{ type: 'thought', content: 'x' }], summary: { duration: 3 } }
    },
    {
      type: 'workflow',
      workflow: {
        type: 'reasoning',
        tasks: [{ type: 'thought', status_indicator: 'none', content: 'x' }],
        summary: { duration: 3 },
        expanded: false
      }
    },
    'S-2'
  ],
  [{ type: 'end_of_turn' }, { type: 'end_of_turn' }, '']
] as const

t.test('S-1 S-2 S-3 S-4 S-7: what is null, what is omitted, what is filled in', async t => {
  const { events, json } = await buildApp(t, {
    async *respond(turn) {
      const n = Number(turn.input?.content[0]?.text)
      yield { type: 'thread.item.done', item: { id: 'msg_x', ...shortest[n]?.[0] } } as never
    }
  })
  for (const [n, [, wanted, why]] of shortest.entries()) {
    const told = await events(create(String(n)))
    const last = told.at(-1)
    if (wanted === null) {
      t.match(last, { type: 'error', code: 'stream.error' }, why)
      continue
    }
    const thread_id = threadIdOf(told)
    const item = last && 'item' in last ? last.item : undefined
    t.strictSame(item, { ...wanted, id: 'msg_x', thread_id, created_at: item?.created_at }, why)
    const { body } = await json({ type: 'items.list', params: { thread_id, limit: 1 } })
    t.strictSame(body.data[0], item, `${why}: listed as it was told`)
  }
})

t.test('S-1 S-2 S-3 S-6: transient events, their defaults, and nothing of them stored', async t => {
  const script = scriptedResponder([
    { type: 'progress_update', text: 'p', icon: null },
    { type: 'client_effect', name: 'fx' },
    { type: 'client_effect', name: 'fx', data: nulls },
    { type: 'notice', level: 'info', message: 'm', title: null },
    { type: 'error' },
    { type: 'generated_image.updated', text: 'no such event' } as never
  ])
  const { events, json } = await buildApp(t, { respond: script.respond })
  const told = await events(create('x'))
  t.strictSame(told.slice(3), [
    { type: 'progress_update', text: 'p' },
    { type: 'client_effect', name: 'fx', data: {} },
    { type: 'client_effect', name: 'fx', data: nulls },
    { type: 'notice', level: 'info', message: 'm' },
    { type: 'error', code: 'custom', allow_retry: false },
    { type: 'error', code: 'stream.error', allow_retry: true }
  ])
  const { body } = await json({ type: 'items.list', params: { thread_id: threadIdOf(told) } })
  t.equal(body.data.length, 1)
})

t.test('S-5 DV-3: every time is in UTC and says so', async t => {
  const script = scriptedResponder([
    { type: 'thread.item.done', item: { type: 'end_of_turn', id: 'a', created_at: '2026-11-20T18:27:10.527767' } },
    { type: 'thread.item.done', item: { type: 'end_of_turn', id: 'b', created_at: new Date(0) } },
    { type: 'thread.item.done', item: { type: 'end_of_turn', id: 'c', created_at: '2026-11-20T18:27:10+01:00' } },
    { type: 'thread.item.done', item: { type: 'end_of_turn', id: 'd' } }
  ])
  const { events } = await buildApp(t, { respond: script.respond, now: () => new Date('2030-01-01T00:00:00Z') })
  const told = await events(create('x'))
  t.match(told[0], { thread: { created_at: '2030-01-01T00:00:00.000Z' } })
  t.strictSame(
    told.slice(3).map(event => ('item' in event ? event.item.created_at : '')),
    ['2026-11-20T18:27:10.527Z', '1970-01-01T00:00:00.000Z', '2026-11-20T17:27:10.000Z', '2030-01-01T00:00:00.000Z']
  )
})

t.test('S-8 O-8 DV-5: metadata and hidden items leave by no door', async t => {
  const secret = 'do-not-tell'
  const store = memoryThreadStore()
  const hidden = { type: 'hidden_context_item' as const, id: 'hcx_1', content: secret }
  const shown = { type: 'sdk_hidden_context' as const, id: 'shcx_1', content: secret }
  const update = {
    type: 'thread.item.updated' as const,
    update: { type: 'assistant_message.content_part.text_delta' as const, content_index: 0, delta: secret }
  }
  const script = scriptedResponder(
    [
      turn => {
        turn.thread.metadata.note = secret
      },
      { type: 'thread.item.added', item: hidden },
      { ...update, item_id: 'hcx_1' },
      { type: 'thread.item.done', item: hidden },
      { type: 'thread.item.replaced', item: hidden },
      { type: 'thread.item.done', item: shown }
    ],
    // Hidden in an earlier turn: only the store knows.
    [
      { ...update, item_id: 'hcx_1' },
      { type: 'thread.item.removed', item_id: 'shcx_1' }
    ]
  )
  const { post } = await buildApp(t, {
    respond: script.respond,
    threadStore: store,
    syncAction: () => hidden,
    attachments: {
      create: async () => ({ metadata: { note: secret } }),
      delete: async () => undefined
    }
  })
  const texts: string[] = []
  const say = async (body: object) => {
    const text = await (await post(body)).text()
    texts.push(text)
    return text
  }
  const attachment = JSON.parse(
    await say({ type: 'attachments.create', params: { name: 'a', size: 1, mime_type: 'b' } })
  )
  await say(create('x', { attachments: [attachment.id] }))
  const thread_id = /thr_[0-9a-f]{24}/.exec(texts[1] ?? '')?.[0]
  await say({ type: 'threads.get_by_id', params: { thread_id } })
  await say({ type: 'items.list', params: { thread_id } })
  await say({ type: 'threads.list', params: {} })
  await say({ type: 'threads.update', params: { thread_id, title: 'T' } })
  t.equal(await say({ type: 'threads.sync_custom_action', params: { thread_id, action: { type: 'x' } } }), '{}')
  const item_id = /msg_[0-9a-f]{24}/.exec(texts[1] ?? '')?.[0]
  await say({
    type: 'threads.add_user_message',
    params: { thread_id, input: { content: [], attachments: [], inference_options: {} } }
  })
  script.finish()
  for (const text of texts) t.notMatch(text, new RegExp(`${secret}|hcx_`))
  t.match(texts[1], 'thread.updated', 'a change of metadata is told, without the metadata')
  t.match(await store.forOwner('ada').findItem(String(thread_id), 'hcx_1'), { content: secret }, 'but it is kept')
  t.ok(item_id)
})

t.test('U-1: updates of an unfinished item are applied as the reference server does', async t => {
  const base = 'assistant_message.content_part' as const
  const of = (item_id: string, update: object) => ({ type: 'thread.item.updated', item_id, update }) as never
  const annotation = (title: string) => ({ type: 'annotation', source: { type: 'file', filename: 'f', title } })
  const task = (content: string) => ({ type: 'thought', content })
  const card = (value: string) => ({
    type: 'Card',
    children: [{ type: 'Row', children: [{ type: 'Text', id: 't', value }] }]
  })
  const store = memoryThreadStore()
  const script = scriptedResponder([
    { type: 'thread.item.added', item: { type: 'assistant_message', id: 'm', content: [] } },
    of('m', { type: `${base}.text_delta`, content_index: 1, delta: 'second' }),
    of('m', { type: `${base}.added`, content_index: 0, content: { text: 'repl' } }),
    of('m', { type: `${base}.text_delta`, content_index: 0, delta: 'aced' }),
    of('m', { type: `${base}.annotation_added`, content_index: 0, annotation_index: 5, annotation: annotation('end') }),
    of('m', {
      type: `${base}.annotation_added`,
      content_index: 0,
      annotation_index: 0,
      annotation: annotation('front')
    }),
    of('m', { type: `${base}.done`, content_index: 2, content: { text: 'third' } }),
    { type: 'thread.item.added', item: { type: 'workflow', id: 'w', workflow: { type: 'custom', tasks: [] } } },
    of('w', { type: 'workflow.task.added', task_index: 7, task: task('a') }),
    of('w', { type: 'workflow.task.updated', task_index: 0, task: task('b') }),
    of('w', { type: 'workflow.task.updated', task_index: 9, task: task('nowhere') }),
    { type: 'thread.item.added', item: { type: 'widget', id: 'g', widget: card('a') } },
    of('g', { type: 'widget.streaming_text.value_delta', component_id: 't', delta: 'b', done: true }),
    of('g', { type: 'widget.component.updated', component_id: 't', component: { type: 'Title', value: 'x' } }),
    of('g', { type: 'widget.root.updated', widget: card('z') }),
    of('m', { type: 'widget.root.updated', widget: card('for another kind') }),
    of('never added', { type: `${base}.text_delta`, content_index: 0, delta: 'x' }),
    { type: 'thread.item.added', item: { type: 'generated_image', id: 'i' } },
    of('i', { type: 'generated_image.updated', image: { id: 'i', url: 'https://i' }, progress: 0.5 }),
    { throw: new Error('so that it is kept') }
  ])
  const { events } = await buildApp(t, { respond: script.respond, threadStore: store })
  const told = await events(create('x'))
  const id = threadIdOf(told)
  t.equal(told.filter(event => event.type === 'thread.item.updated').length, 15, 'all of them are told')
  const { data } = await store.forOwner('ada').listItems(id, { limit: 9, order: 'asc', hidden: true })
  t.equal(data.length, 2, 'a half message is kept; half a workflow, a widget and a picture are not')
  const source = (title: string) => ({ type: 'annotation', source: { type: 'file', filename: 'f', title } })
  t.strictSame(JSON.parse(JSON.stringify(data[1])).content, [
    { type: 'output_text', text: 'replaced', annotations: [source('front'), source('end')] },
    { type: 'output_text', text: 'second', annotations: [] },
    { type: 'output_text', text: 'third', annotations: [] }
  ])
})

t.test('an event, update or item there is none of ends the stream, and nothing of it is stored', async t => {
  const bad = [
    { type: 'thread.item.done', item: { type: 'telepathy', id: 'x' } },
    { type: 'thread.item.done', item: { type: 'end_of_turn', id: 'a\0b' } },
    { type: 'thread.item.done', item: { type: 'end_of_turn' } },
    { type: 'thread.item.updated', item_id: 'x', update: { type: 'nothing' } },
    {
      type: 'thread.item.updated',
      item_id: 'x',
      update: { type: 'assistant_message.content_part.text_delta', content_index: -1, delta: '' }
    },
    { type: 'thread.created', thread: {} },
    {},
    null
  ]
  const { events, logged } = await buildApp(t, {
    *respond(turn) {
      yield bad[Number(turn.input?.content[0]?.text)] as never
    }
  })
  for (const n of bad.keys()) {
    const told = await events(create(String(n)))
    t.strictSame(told.slice(3), [{ type: 'error', code: 'stream.error', allow_retry: true }], JSON.stringify(bad[n]))
  }
  t.equal(logged.filter(line => line.msg === 'A responder failed').length, bad.length)
})

t.test('DV-4: ids have 96 random bits, and the prefixes people know', async t => {
  const seen = new Set<string>()
  for (const [kind, prefix] of Object.entries(idPrefixes)) {
    for (let n = 0; n < 100; n++) {
      const id = newId(kind as keyof typeof idPrefixes)
      t.match(id, new RegExp(`^${prefix}_[0-9a-f]{24}$`))
      seen.add(id)
    }
  }
  t.equal(seen.size, Object.keys(idPrefixes).length * 100)
  t.match(idPrefixes, {
    thread: 'thr',
    user_message: 'msg',
    widget: 'msg',
    client_tool_call: 'tc',
    workflow: 'wf',
    task: 'tsk',
    attachment: 'atc'
  })
})

t.test('an application may make its own ids', async t => {
  let count = 0
  const { events } = await buildApp(t, { newId: kind => `${kind}-${++count}` })
  const told = await events(create('Hi'))
  t.match(told, [
    { thread: { id: 'thread-1' } },
    { item: { id: 'user_message-2', thread_id: 'thread-1' } },
    {},
    { item: { id: 'assistant_message-3' } }
  ])
})

t.test('parseItem gives a copy', async t => {
  const content = [{ type: 'output_text' as const, text: 'a' }]
  const item = parseItem({ type: 'assistant_message', id: 'a', thread_id: 't', created_at: new Date(0), content })
  content[0] = { type: 'output_text', text: 'changed' }
  t.match(item, { content: [{ text: 'a' }] })
})
