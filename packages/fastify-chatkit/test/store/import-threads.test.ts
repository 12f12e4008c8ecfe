import { importThreads, postgresThreadStore } from 'fastify-chatkit'
import { memoryThreadStore } from 'fastify-chatkit/testing'
import t from 'tap'
import { buildApp } from '../fixtures/build-app.ts'
import { migratedDatabase } from '../fixtures/database.ts'

// As `model_dump(mode="json")` of chatkit-python 1.6.5 writes them.
const thread = (id: string, created_at: string) => ({
  title: null,
  id,
  created_at,
  status: { type: 'active' },
  allowed_image_domains: null,
  metadata: { previous_response_id: 'resp_1', nothing: null }
})
const items = [
  {
    id: 'msg_0a1b2c3d',
    thread_id: 'thr_1a2b3c4d',
    created_at: '2026-11-20T18:27:10.527767',
    type: 'user_message',
    content: [{ type: 'input_text', text: 'Hi' }],
    attachments: [
      {
        id: 'atc_00000001',
        name: 'a.txt',
        mime_type: 'text/plain',
        upload_descriptor: null,
        thread_id: 'thr_1a2b3c4d',
        metadata: { size: 1 },
        type: 'file'
      }
    ],
    quoted_text: '',
    inference_options: { tool_choice: null, model: null }
  },
  {
    id: 'tc_0a1b2c3d',
    thread_id: 'thr_1a2b3c4d',
    created_at: '2026-11-20T18:27:10.527767',
    type: 'client_tool_call',
    status: 'completed',
    call_id: 'call_1',
    name: 'n',
    arguments: { a: null },
    output: null
  },
  {
    id: 'msg_0a1b2c3e',
    thread_id: 'thr_1a2b3c4d',
    created_at: '2026-11-20T18:27:11',
    type: 'assistant_message',
    content: [{ annotations: [], text: 'Hello', type: 'output_text' }]
  },
  {
    id: 'shcx_0a1b2c3f',
    thread_id: 'thr_1a2b3c4d',
    created_at: '2026-11-20T18:27:12',
    type: 'sdk_hidden_context',
    content: 'x'
  }
]

t.test('threads of chatkit-python come over with their short ids and their times without a zone', async t => {
  for (const store of [memoryThreadStore(), postgresThreadStore(await migratedDatabase(t))]) {
    const mine = store.forOwner('ada')
    const foreign = [
      { thread: thread('thr_later000', '2026-11-21T00:00:00'), items: [] },
      { thread: thread('thr_1a2b3c4d', '2026-11-20T18:27:10.280790'), items },
      { thread: thread('thr_bad00000', '2026-11-20T18:27:10'), items: [{ ...items[0], type: 'telepathy' }] },
      { thread: 'no thread', items: [] }
    ]
    const result = await importThreads(mine, foreign, { utcOffsetMinutes: 60 })
    t.match(result, { imported: ['thr_1a2b3c4d', 'thr_later000'], skipped: [], refused: { length: 2 } })
    t.equal(await mine.findThread('thr_bad00000'), null, 'whole or not at all')
    t.match(await importThreads(mine, foreign), { imported: [], skipped: ['thr_1a2b3c4d', 'thr_later000'] })

    const { json } = await buildApp(t, { threadStore: store })
    const { body } = await json({ type: 'threads.list', params: {} })
    t.match(body.data, [{ id: 'thr_later000' }, { id: 'thr_1a2b3c4d', created_at: '2026-11-20T17:27:10.280Z' }])
    const { body: one } = await json({ type: 'threads.get_by_id', params: { thread_id: 'thr_1a2b3c4d' } })
    t.strictSame(one.items.data[0], {
      id: 'msg_0a1b2c3d',
      thread_id: 'thr_1a2b3c4d',
      created_at: '2026-11-20T17:27:10.527Z',
      type: 'user_message',
      content: [{ type: 'input_text', text: 'Hi' }],
      attachments: [
        { id: 'atc_00000001', name: 'a.txt', mime_type: 'text/plain', thread_id: 'thr_1a2b3c4d', type: 'file' }
      ],
      quoted_text: '',
      inference_options: {}
    })
    t.strictSame(
      one.items.data.map((item: { id: string }) => item.id),
      ['msg_0a1b2c3d', 'tc_0a1b2c3d', 'msg_0a1b2c3e']
    )
    t.match(await mine.findThread('thr_1a2b3c4d'), { metadata: { previous_response_id: 'resp_1', nothing: null } })
  }
})
