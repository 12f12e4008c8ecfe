import { type ModelMessage, modelInput, parseItem, say, type ThreadItem, toModelInput } from 'fastify-chatkit'
import t from 'tap'
import { add, buildApp, create, threadIdOf } from '../fixtures/build-app.ts'

let ids = 0
const item = (draft: object): ThreadItem =>
  parseItem({ id: `item_${++ids}`, thread_id: 'thr_1', created_at: '2026-01-02T03:04:05Z', ...draft })
const said = (text: string) => item({ type: 'user_message', content: [{ type: 'input_text', text }] })
const answered = (...texts: string[]) =>
  item({ type: 'assistant_message', content: texts.map(text => ({ type: 'output_text', text })) })
const call = (status: string, more: object = {}) =>
  item({ type: 'client_tool_call', status, call_id: 'call_1', name: 'where', arguments: { a: null }, ...more })
const user = (text: string): ModelMessage => ({ type: 'user', content: [{ type: 'text', text }] })

t.test('each kind of item, as a model is told of it', async t => {
  const cases: { why: string; items: ThreadItem[]; told: ModelMessage[] }[] = [
    { why: 'a message', items: [said('Hello')], told: [user('Hello')] },
    { why: 'an empty message says nothing', items: [said('')], told: [] },
    {
      why: 'text and tags are one text, without anything between',
      items: [
        item({
          type: 'user_message',
          content: [
            { type: 'input_text', text: 'Ask ' },
            { type: 'input_tag', id: 'p1', text: 'Ann', data: {} },
            { type: 'input_text', text: '!' }
          ]
        })
      ],
      told: [user('Ask @Ann!')]
    },
    { why: 'an answer', items: [answered('Yes', '', 'No')], told: [{ type: 'assistant', content: ['Yes', 'No'] }] },
    { why: 'K-3: a call nobody answered was never made', items: [call('pending')], told: [] },
    {
      why: 'a call and its output',
      items: [call('completed', { output: { x: [1, null] } })],
      told: [
        { type: 'tool_call', callId: 'call_1', name: 'where', arguments: { a: null } },
        { type: 'tool_output', callId: 'call_1', name: 'where', output: { x: [1, null] } }
      ]
    },
    {
      why: 'a call that gave nothing',
      items: [call('completed')],
      told: [
        { type: 'tool_call', callId: 'call_1', name: 'where', arguments: { a: null } },
        { type: 'tool_output', callId: 'call_1', name: 'where', output: null }
      ]
    },
    {
      why: 'a task of the application, and no other',
      items: [
        item({ type: 'task', task: { type: 'custom', title: 'Look', content: 'found' } }),
        item({ type: 'task', task: { type: 'custom' } }),
        item({ type: 'task', task: { type: 'thought', content: 'hm' } })
      ],
      told: [user('A step was taken and shown to the user:\n<Task>\nLook: found\n</Task>')]
    },
    {
      why: 'a workflow, a message a task',
      items: [
        item({
          type: 'workflow',
          workflow: {
            type: 'custom',
            tasks: [{ type: 'custom', title: 'A' }, { type: 'image' }, { type: 'custom', content: 'B' }]
          }
        })
      ],
      told: [
        user('A step was taken and shown to the user:\n<Task>\nA\n</Task>'),
        user('A step was taken and shown to the user:\n<Task>\nB\n</Task>')
      ]
    },
    {
      why: 'questions, and what became of each',
      items: [
        item({
          type: 'structured_input',
          status: 'answered',
          inputs: [
            { id: 'a', question: 'Which?', type: 'multiple_choice', options: [], answer: { values: ['x', 'y'] } },
            { id: 'b', question: 'Why?', type: 'freeform', answer: { values: [], skipped: true } },
            { id: 'c', question: 'How?', type: 'freeform' }
          ]
        })
      ],
      told: [user('The user was asked the following (answered):\n- Which? x, y\n- Why? (skipped)\n- How? (unanswered)')]
    },
    {
      why: 'hidden context, of both kinds',
      items: [
        item({ type: 'hidden_context_item', content: 'VIP' }),
        item({ type: 'sdk_hidden_context', content: 'Stopped' })
      ],
      told: ['VIP', 'Stopped'].map(text =>
        user(`For you alone, not from the user and not shown to the user:\n<HiddenContext>\n${text}\n</HiddenContext>`)
      )
    },
    {
      why: 'an image, once there is one',
      items: [
        item({ type: 'generated_image' }),
        item({ type: 'generated_image', image: { id: 'i', url: 'https://x/i.png' } })
      ],
      told: [
        {
          type: 'user',
          content: [
            { type: 'text', text: 'This image was generated and shown to the user.' },
            { type: 'image', url: 'https://x/i.png' }
          ]
        }
      ]
    },
    { why: 'the end of a turn says nothing', items: [item({ type: 'end_of_turn' })], told: [] }
  ]
  for (const { why, items, told } of cases) t.strictSame(await toModelInput(items), told, why)
})

t.test('a widget is told as JSON, with its id', async t => {
  const widget = item({ id: 'w_1', type: 'widget', widget: { type: 'Card', children: [] } })
  t.strictSame(await toModelInput([widget]), [
    user('This graphical widget (id: w_1) was shown to the user: {"type":"Card","children":[]}')
  ])
})

t.test('what the user quoted is told while it is the newest, and an empty quote is none', async t => {
  const quoting = (quoted_text: string) =>
    item({ type: 'user_message', content: [{ type: 'input_text', text: 'What is this?' }], quoted_text })
  t.strictSame(await toModelInput([quoting('E = mc²')]), [
    user('What is this?'),
    user("The user's message is about this passage:\nE = mc²")
  ])
  t.strictSame(await toModelInput([quoting('E = mc²'), answered('Energy')]), [
    user('What is this?'),
    { type: 'assistant', content: ['Energy'] }
  ])
  t.strictSame(await toModelInput([quoting('')]), [user('What is this?')])
})

t.test('hooks tell of attachments, tags, hidden context, and any item', async t => {
  const message = item({
    type: 'user_message',
    content: [
      { type: 'input_tag', id: 'p1', text: 'Ann', data: { role: 'boss' } },
      { type: 'input_tag', id: 'p1', text: 'Ann', data: { role: 'boss' } }
    ],
    attachments: [{ type: 'file', id: 'atc_1', name: 'a.pdf', mime_type: 'application/pdf' }]
  })
  const hiddenContext = item({ type: 'hidden_context_item', content: { secret: 1 } })
  await t.rejects(toModelInput([message]), { name: 'TypeError', message: /attachment option/ })
  await t.rejects(toModelInput([hiddenContext]), { name: 'TypeError', message: /hiddenContext option/ })
  const told = await toModelInput([hiddenContext, message, item({ type: 'end_of_turn' })], {
    attachment: async one => ({ type: 'file', url: `https://x/${one.id}`, mediaType: one.mime_type }),
    tag: tag => ({ type: 'text', text: `${tag.text} is the ${tag.data.role}` }),
    hiddenContext: () => null,
    items: { end_of_turn: () => user('over') }
  })
  t.strictSame(told, [
    {
      type: 'user',
      content: [
        { type: 'text', text: '@Ann@Ann' },
        { type: 'file', url: 'https://x/atc_1', mediaType: 'application/pdf' }
      ]
    },
    {
      type: 'user',
      content: [
        { type: 'text', text: 'What the user named with @ is described below. Call it by its name, without the @.' },
        { type: 'text', text: 'Ann is the boss' }
      ]
    },
    user('over')
  ])
})

t.test('what does not fit is left out, the oldest first', async t => {
  const items = [said('aaaa'), answered('bbbb'), said('cccc'), answered('dddd')]
  t.strictSame(await toModelInput(items, { maxLength: 12 }), [user('cccc'), { type: 'assistant', content: ['dddd'] }])
  t.strictSame(await toModelInput(items, { maxLength: 16 }), await toModelInput(items), 'it just fits')
  t.strictSame(await toModelInput(items, { maxLength: 1 }), [{ type: 'assistant', content: ['dddd'] }], 'never nothing')
  t.strictSame(
    await toModelInput(items, { maxLength: 2, measure: () => 1 }),
    [user('cccc'), { type: 'assistant', content: ['dddd'] }],
    'a length of one’s own'
  )
})

t.test('a call and its output stay together', async t => {
  const items = [said('Hi'), call('completed', { output: 'x'.repeat(50) }), said('And now?')]
  t.strictSame(await toModelInput(items, { maxLength: 60 }), [user('And now?')])
  t.equal((await toModelInput(items, { maxLength: 200 })).length, 4)
})

t.test('a thread may begin with an answer, but what is left of a longer one does not', async t => {
  t.strictSame(await toModelInput([answered('Welcome'), said('Hi')]), [
    { type: 'assistant', content: ['Welcome'] },
    user('Hi')
  ])
  t.strictSame(await toModelInput([answered('Welcome'), said('Hi')], { incomplete: true }), [user('Hi')])
})

t.test('trap 13: a long thread is told from its newest end, through the plugin', async t => {
  const given: ModelMessage[][] = []
  const client = await buildApp(t, {
    async *respond(turn) {
      given.push(await modelInput(turn, { maxItems: 4 }))
      yield* say(turn, `answer ${given.length}`)
    }
  })
  const id = threadIdOf(await client.events(create('message 1')))
  for (let number = 2; number <= 15; number++) await client.events(add(id, `message ${number}`))
  t.strictSame(given[0], [user('message 1')])
  t.strictSame(given.at(-1), [user('message 14'), { type: 'assistant', content: ['answer 14'] }, user('message 15')])
})

t.test('options that cannot be meant are an error', async t => {
  const turn = {
    items: { newest: async () => [], find: async () => null, list: async () => ({ data: [], has_more: false }) }
  }
  for (const maxItems of [0, -1, 1.5, Number.NaN]) await t.rejects(modelInput(turn, { maxItems }), TypeError)
  for (const maxLength of [0, -1, Number.NaN]) await t.rejects(modelInput(turn, { maxLength }), TypeError)
  t.strictSame(await modelInput(turn), [])
})
