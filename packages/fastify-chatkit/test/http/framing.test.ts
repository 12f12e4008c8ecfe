import cors from '@fastify/cors'
import Fastify from 'fastify'
import { chatkit, echo } from 'fastify-chatkit'
import { memoryThreadStore, scriptedResponder } from 'fastify-chatkit/testing'
import t from 'tap'
import { buildApp, create, kinds } from '../fixtures/build-app.ts'

t.test('T-1: one POST route, at the path that was asked for', async t => {
  const { url, post } = await buildApp(t, { path: '/support/chatkit' })
  t.match(url, /\/support\/chatkit$/)
  t.equal((await post(create('Hi'))).status, 200)
  for (const method of ['GET', 'PUT', 'DELETE']) t.equal((await fetch(url, { method })).status, 404, method)
})

t.test('T-2 T-3 T-4 T-5 T-6: a stream is single data lines of compact JSON, and nothing else', async t => {
  const { post } = await buildApp(t)
  const response = await post(create('é ✓ 👩‍👩‍👧 "quoted"\n\nnew line \u2028 \\'))
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  t.equal(response.headers.get('cache-control'), 'no-cache, no-transform')
  t.equal(response.headers.get('x-accel-buffering'), 'no')
  t.equal(response.headers.get('transfer-encoding'), 'chunked')
  t.equal(response.headers.get('content-length'), null)
  const raw = await response.text()
  t.ok(raw.endsWith('\n\n'))
  const frames = raw.slice(0, -2).split('\n\n')
  for (const frame of frames) {
    t.match(frame, /^data: [^\n\r]+$/)
    const text = frame.slice('data: '.length)
    t.equal(JSON.stringify(JSON.parse(text)), text, 'compact, and nothing escaped that need not be')
  }
  t.match(raw, '"text":"é ✓ 👩‍👩‍👧 \\"quoted\\"\\n\\nnew line \u2028 \\\\"')
  t.notMatch(raw, /\[DONE\]|^event:|^id:|^retry:|^:/m)
})

t.test('T-5: a lone surrogate goes out escaped, and comes back the same', async t => {
  const { post, json } = await buildApp(t)
  t.match(await (await post(create('a\ud83dz'))).text(), '"text":"a\\ud83dz"')
  const { body } = await json({ type: 'threads.list', params: {} })
  const { body: thread } = await json({ type: 'threads.get_by_id', params: { thread_id: body.data[0].id } })
  t.equal(thread.items.data[0].content[0].text, 'a\ud83dz')
})

t.test('T-7: other answers are one compact JSON body; nothing to say is {}', async t => {
  const { post } = await buildApp(t)
  const response = await post({ type: 'threads.delete', params: { thread_id: 'thr_none' } })
  t.equal(response.status, 200)
  t.match(response.headers.get('content-type'), /^application\/json/)
  t.equal(await response.text(), '{}')
  t.equal(await (await post({ type: 'threads.list', params: {} })).text(), '{"data":[],"has_more":false}')
})

t.test('T-8 T-9 DV-1 DV-2: what cannot be done is refused before the first byte, in JSON', async t => {
  const { json } = await buildApp(t)
  const unknown = { thread_id: 'thr_none', item_id: 'msg_none' }
  const input = { content: [], attachments: [], inference_options: {} }
  const cases = [
    { type: 'threads.get_by_id', params: unknown },
    { type: 'threads.update', params: { ...unknown, title: 'x' } },
    { type: 'threads.add_user_message', params: { ...unknown, input } },
    { type: 'threads.add_client_tool_output', params: { ...unknown, result: 1 } },
    { type: 'threads.add_structured_input', params: { ...unknown, input: {} } },
    { type: 'threads.retry_after_item', params: unknown }
  ]
  for (const request of cases) {
    const { status, body } = await json(request)
    t.equal(status, 404, request.type)
    t.match(body, { statusCode: 404, code: 'FST_CHATKIT_THREAD_NOT_FOUND', message: 'Thread not found' })
  }
})

t.test('DV-12: an idle stream says, invisibly, that it is alive; a busy one does not', async t => {
  let goOn = () => {}
  const enough = new Promise<void>(resolve => {
    goOn = resolve
  })
  const script = scriptedResponder([async () => void (await enough), { say: ['a', 'b'] }])
  const { post } = await buildApp(t, { respond: script.respond, heartbeatMs: 50 })
  let raw = ''
  for await (const chunk of (await post(create('Hi'))).body?.pipeThrough(new TextDecoderStream()) ?? []) {
    raw += chunk
    if (raw.includes(': hb\n: hb\n: hb\n')) goOn()
  }
  t.match(raw, /allow_cancel[^\n]*\n\n(: hb\n){3,}data: /, 'while nothing is said')
  t.notMatch(raw, ': hb\n\n', 'two line feeds would be an empty message')
  // What the front end's parser makes of it: comments are dropped, line by line.
  const events = raw
    .split('\n')
    .filter(line => !line.startsWith(':'))
    .join('\n')
    .split('\n\n')
    .filter(frame => frame !== '')
    .map(frame => JSON.parse(frame.slice('data: '.length)))
  t.strictSame(kinds(events).slice(0, 4), [
    'thread.created',
    'user_message done',
    'stream_options',
    'assistant_message added'
  ])
})

t.test('a heartbeat can be switched off', async t => {
  const script = scriptedResponder([{ waitMs: 120 }])
  const { post } = await buildApp(t, { respond: script.respond, heartbeatMs: 0 })
  t.notMatch(await (await post(create('Hi'))).text(), ': hb')
})

t.test('the head of a stream leaves before the responder says anything', async t => {
  let goOn = () => {}
  const read = new Promise<void>(resolve => {
    goOn = resolve
  })
  const script = scriptedResponder([async () => void (await read), { say: 'Hello' }])
  const { post } = await buildApp(t, { respond: script.respond })
  const reader = (await post(create('Hi'))).body?.pipeThrough(new TextDecoderStream()).getReader()
  t.match((await reader?.read())?.value, 'thread.created')
  goOn()
  let rest = ''
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) rest += read.value
  t.match(rest, 'Hello')
})

t.test('O-10 27: other plugins see the reply: CORS on streams and on errors, onSend, onResponse', async t => {
  const app = Fastify({ forceCloseConnections: true })
  const finished: string[] = []
  app.addHook('onSend', async (_, reply) => void reply.header('x-frame-options', 'DENY'))
  app.addHook('onResponse', async (_, reply) => void finished.push(String(reply.statusCode)))
  await app.register(cors, {
    origin: 'https://app.example',
    allowedHeaders: ['content-type', 'authorization', 'accept-language', 'chatkit-frame-instance-id']
  })
  await app.register(chatkit, { owner: () => 'ada', threadStore: memoryThreadStore(), respond: echo })
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/chatkit`
  t.teardown(() => app.close())
  const headers = { 'content-type': 'application/json', origin: 'https://app.example', 'accept-language': 'de' }
  for (const [body, status] of [
    [create('Hi'), 200],
    [{ type: 'nonsense' }, 400]
  ] as const) {
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    t.equal(response.status, status)
    t.equal(response.headers.get('access-control-allow-origin'), 'https://app.example')
    t.equal(response.headers.get('x-frame-options'), 'DENY')
    await response.text()
  }
  const asked = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'chatkit-frame-instance-id'
  }
  const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin: 'https://app.example', ...asked } })
  t.match(preflight.headers.get('access-control-allow-headers'), 'chatkit-frame-instance-id')
  t.strictSame(finished.slice(0, 2), ['200', '400'])
})
