import t from 'tap'
import { buildApp, create, kinds, threadIdOf } from '../fixtures/build-app.ts'

t.test('a message begins a thread, is told back, and is answered', async t => {
  const { post, events, json } = await buildApp(t)
  const told = await events(create('Hello world'))
  t.strictSame(kinds(told), [
    'thread.created',
    'user_message done',
    'stream_options',
    'assistant_message added',
    'added',
    'text_delta',
    'text_delta',
    'done',
    'assistant_message done'
  ])
  const id = threadIdOf(told)
  t.match(id, /^thr_[0-9a-f]{24}$/)
  t.strictSame(told[0], {
    type: 'thread.created',
    thread: {
      id,
      created_at: (told[0] as { thread: { created_at: string } }).thread.created_at,
      status: { type: 'active' },
      metadata: {},
      items: { data: [], has_more: false }
    }
  })
  t.strictSame(told[2], { type: 'stream_options', stream_options: { allow_cancel: true } })
  const { body } = await json({ type: 'threads.get_by_id', params: { thread_id: id } })
  t.match(body.items.data, [
    {
      type: 'user_message',
      content: [{ type: 'input_text', text: 'Hello world' }],
      attachments: [],
      inference_options: {}
    },
    { type: 'assistant_message', content: [{ type: 'output_text', text: 'Hello world', annotations: [] }] }
  ])
  const raw = await (await post(create('é ✓ \u2028\n'))).text()
  t.match(raw, /"text":"é ✓ \u2028\\n"/)
})
