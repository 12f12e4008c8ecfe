import t from 'tap'
import { buildApp, create, input, threadIdOf } from '../fixtures/build-app.ts'

t.test('V-1 V-2 V-3 V-6 DV-15: what is no request of the protocol is refused with the field that is wrong', async t => {
  const { json } = await buildApp(t, { action: () => [], syncAction: () => null, transcribe: () => '' })
  const message = { content: [], attachments: [], inference_options: {} }
  const send = (input: unknown) => ({ type: 'threads.create', params: { input } })
  const cases: [string, unknown, string][] = [
    ['no object', '[]', 'no JSON object'],
    ['null', 'null', 'no JSON object'],
    ['text', '"x"', 'no JSON object'],
    ['no type', { params: {} }, 'type'],
    ['a type of another kind', { type: 5, params: {} }, 'type'],
    ['no params', { type: 'threads.list' }, 'params'],
    ['params of another kind', { type: 'threads.list', params: [] }, 'params'],
    ['null metadata', { type: 'threads.list', params: {}, metadata: null }, 'metadata'],
    ['no input', { type: 'threads.create', params: {} }, 'params.input'],
    ['no content', send({ ...message, content: undefined }), 'params.input.content'],
    ['no attachments', send({ ...message, attachments: undefined }), 'params.input.attachments'],
    ['no inference options', send({ ...message, inference_options: undefined }), 'params.input.inference_options'],
    ['content of an unknown type', send({ ...message, content: [{ type: 'x' }] }), 'params.input.content.0'],
    [
      'a tag without data',
      send({ ...message, content: [{ type: 'input_tag', id: 'a', text: 'b' }] }),
      'params.input.content.0.data'
    ],
    [
      'a number for text',
      send({ ...message, content: [{ type: 'input_text', text: 5 }] }),
      'params.input.content.0.text'
    ],
    ['no result', { type: 'threads.add_client_tool_output', params: { thread_id: 't' } }, 'params.result'],
    ['no title', { type: 'threads.update', params: { thread_id: 't', title: null } }, 'params.title'],
    [
      'an action without type',
      { type: 'threads.custom_action', params: { thread_id: 't', action: {} } },
      'params.action.type'
    ],
    ['another order', { type: 'threads.list', params: { order: 'random' } }, 'params.order'],
    ['half a limit', { type: 'threads.list', params: { limit: 5.5 } }, 'params.limit'],
    ['text for a limit', { type: 'threads.list', params: { limit: '5' } }, 'params.limit'],
    ['a limit below zero', { type: 'threads.list', params: { limit: -1 } }, 'params.limit'],
    ['a limit beyond all numbers', { type: 'threads.list', params: { limit: 1e300 } }, 'params.limit'],
    [
      'an opinion there is none of',
      { type: 'items.feedback', params: { thread_id: 't', item_ids: [], kind: 'meh' } },
      'params.kind'
    ],
    ['no base64', { type: 'input.transcribe', params: { audio_base64: '!!!!', mime_type: 'a' } }, 'params.audio_base64']
  ]
  for (const [why, body, message] of cases) {
    const { status, body: answer } = await json(body)
    t.equal(status, 400, why)
    t.equal(answer.code, 'FST_CHATKIT_BODY_INVALID', why)
    t.match(answer.message, message, why)
    t.strictSame(Object.keys(answer).toSorted(), ['code', 'error', 'message', 'statusCode'])
  }
  const unknown = await json({ type: 'threads.stop', params: {} })
  t.match(unknown, {
    status: 400,
    body: { code: 'FST_CHATKIT_TYPE_UNKNOWN', message: 'No request is of type "threads.stop"' }
  })
  t.equal((await json('{')).status, 400, 'no JSON at all')
  t.equal((await json('')).status, 400, 'nothing at all')
})

t.test('a body that is nested without end is refused, wherever it is', async t => {
  const { json, events } = await buildApp(t, { action: () => [] })
  const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
  const inference = (levels: number) =>
    `{"type":"threads.create","params":{"input":{"content":[],"attachments":[],"inference_options":${nested(levels)}}}}`
  const bodies = [
    `{"type":"threads.list","params":{},"metadata":${nested(50_000)}}`,
    inference(50_000),
    `{"type":"threads.custom_action","params":{"thread_id":"t","action":{"type":"a","payload":${nested(50_000)}}}}`,
    inference(198)
  ]
  for (const body of bodies) {
    const refused = await json(body)
    t.equal(refused.status, 400, body.slice(0, 60))
    t.match(refused.body, { code: 'FST_CHATKIT_BODY_INVALID', message: /deeper than 200 levels/ })
  }
  t.match(await events(inference(197)), [{ type: 'thread.created' }], 'what is deep, but not too deep, is taken')
})

t.test('V-4: unknown fields are passed over, at every level', async t => {
  const { events, json } = await buildApp(t)
  const told = await events({
    ...create('Hi', { mood: 'ok', inference_options: { temperature: 1 } }),
    zzz: 1
  })
  const { body } = await json({ type: 'items.list', params: { thread_id: threadIdOf(told), extra: 1, order: 'asc' } })
  t.strictSame(Object.keys(body.data[0]).toSorted(), [
    'attachments',
    'content',
    'created_at',
    'id',
    'inference_options',
    'thread_id',
    'type'
  ])
  t.strictSame(body.data[0].inference_options, {})
})

t.test('V-3: metadata of the request reaches the responder, and nobody else', async t => {
  let seen: unknown
  const { events } = await buildApp(t, {
    respond(turn) {
      seen = turn.metadata
      return []
    }
  })
  const told = await events({ ...create('Hi'), metadata: { trace: 'x', n: null } })
  t.strictSame(seen, { trace: 'x', n: null })
  t.notMatch(JSON.stringify(told), 'trace')
})

t.test('V-5 P-1: no limit, null and zero mean twenty; there is no other coercion', async t => {
  const { events, json } = await buildApp(t, { respond: () => [] })
  for (let n = 0; n < 21; n++) await events(create(`n${n}`))
  for (const limit of [undefined, null, 0]) {
    const { body } = await json({ type: 'threads.list', params: { limit } })
    t.equal(body.data.length, 20)
    t.equal(body.has_more, true)
  }
  const { body } = await json({ type: 'threads.list', params: { limit: 9999, order: 'desc' } })
  t.equal(body.data.length, 21, 'what the front end asks for')
  t.notOk('after' in body)
})

t.test('DV-13: there are limits, and each is told by its name', async t => {
  const { json, post } = await buildApp(t, {
    limits: { messageLength: 10, attachments: 1, bodyBytes: 2000, pageSize: 2 },
    respond: () => []
  })
  const long = await json(create('x'.repeat(11)))
  t.match(long, { status: 413, body: { code: 'FST_CHATKIT_MESSAGE_TOO_LONG' } })
  const quoted = await json(create('x'.repeat(5), { quoted_text: 'y'.repeat(6) }))
  t.equal(quoted.status, 413)
  const many = await json(create('x', { attachments: ['a', 'b'] }))
  t.match(many, { status: 413, body: { code: 'FST_CHATKIT_TOO_MANY_ATTACHMENTS' } })
  t.equal((await post(create('x'.repeat(3000)))).status, 413, 'the body')
  for (let n = 0; n < 3; n++) t.equal((await post(create('x'.repeat(10)))).status, 200)
  const first = await json({ type: 'threads.list', params: { limit: 9999 } })
  t.match(first.body, { data: { length: 2 }, has_more: true })
  const rest = await json({ type: 'threads.list', params: { limit: 9999, after: first.body.after } })
  t.match(rest.body, { data: { length: 1 }, has_more: false }, 'a cut page says so, and the rest can be had')
})

t.test('whoever is nobody is refused before anything is looked at', async t => {
  const { post, logged } = await buildApp(t)
  const response = await post(create('Hi'), { as: '' })
  t.equal(response.status, 500)
  t.match(await response.json(), { code: 'FST_CHATKIT_OWNER_MISSING' })
  t.ok(logged.some(line => Number(line.level) === 50))
})

t.test('what owner throws is what the stranger is told', async t => {
  const { json } = await buildApp(t, {
    owner: () => {
      throw Object.assign(new Error('Who are you?'), { statusCode: 401 })
    }
  })
  t.match(await json('{"type":'), { status: 400 }, 'Fastify reads the body first: a guard belongs into onRequest')
  t.match(await json(create('Hi')), { status: 401, body: { message: 'Who are you?' } })
})

t.test('a guard in onRequest is asked before the body is read', async t => {
  const { json } = await buildApp(t, {
    onRequest: async (_, reply) => void (await reply.code(401).send({ message: 'Sign in' }))
  })
  t.match(await json('{"type":'), { status: 401 })
})

t.test('the short form of a message is understood where it is asked for', async t => {
  const plain = await buildApp(t, { plainMessages: true })
  const told = await plain.events({ message: 'Hello' })
  const thread_id = threadIdOf(told)
  const more = await plain.events({ message: 'Again', thread_id })
  t.match(more[0], { type: 'thread.item.done', item: { thread_id, content: [{ type: 'input_text', text: 'Again' }] } })
  t.match(await plain.json({ message: 'x', thread_id: 5 }), { status: 400, body: { message: /^thread_id: / } })
  t.match(await plain.json({ message: 5 }), { status: 400, body: { message: /^message: .*expected string/ } })
  t.equal((await plain.json({ message: 'x', thread_id: 'thr_none' })).status, 404)
  t.equal((await plain.post({ type: 'threads.create', params: { input: input('long form') } })).status, 200)
  const strict = await buildApp(t)
  t.equal((await strict.json({ message: 'Hello' })).status, 400)
})

t.test('an option that cannot be meant is refused at start-up', async t => {
  const bad: object[] = [
    { path: 'chatkit' },
    { respond: 'x' },
    { threadStore: {} },
    { owner: undefined },
    { limits: { pageSize: 0 } },
    { limits: { streamMs: 2 ** 31 } },
    { limits: { messageLength: 1.5 } },
    { heartbeatMs: -1 },
    { busyThread: 'maybe' },
    { action: true }
  ]
  for (const options of bad) await t.rejects(buildApp(t, options), TypeError, JSON.stringify(options))
})
