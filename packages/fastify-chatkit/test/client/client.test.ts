import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Responder, type StreamEvent, say, startWorkflow, streamWidget, type Turn, widgets } from 'fastify-chatkit'
import {
  applyEvent,
  type ChatKitClientError,
  type ClientOptions,
  chatkitClient,
  type Events,
  emptyView,
  endTurn,
  isChatKitClientError,
  viewOf,
  withoutAfter
} from 'fastify-chatkit/client'
import { memoryThreadStore } from 'fastify-chatkit/testing'
import t, { type Test } from 'tap'
import { attachmentApp, png } from '../fixtures/attachment-app.ts'
import { buildApp } from '../fixtures/build-app.ts'

async function all(events: Events): Promise<StreamEvent[]> {
  const list: StreamEvent[] = []
  for await (const event of events) list.push(event)
  return list
}

async function follow(events: Events, view = emptyView) {
  let seen = view
  for await (const event of events) seen = applyEvent(seen, event)
  return seen
}

async function failure(work: Promise<unknown>): Promise<ChatKitClientError> {
  const error: unknown = await work.then(
    () => null,
    thrown => thrown
  )
  if (!isChatKitClientError(error)) throw new Error(`No error of the client: ${String(error)}`)
  return error
}

t.test('the example of docs/client.md runs as it stands', async t => {
  const guide = await readFile(new URL('../../docs/client.md', import.meta.url), 'utf8')
  const example = /```js\n([\s\S]*?)```/.exec(guide)?.[1] ?? ''
  const server = await buildApp(t, {
    owner: request => request.headers.authorization ?? '',
    respond: turn => {
      turn.thread.title = 'Greeting'
      return say(turn, ['Hel', 'lo'])
    }
  })
  process.env.CHAT_URL = server.url
  process.env.TOKEN = 'ada'
  const printed = t.capture(console, 'log')
  // Where it stands, the package's name leads to its compiled files.
  const code = example.replace('fastify-chatkit/client', import.meta.resolve('fastify-chatkit/client'))
  await import(`data:text/javascript,${encodeURIComponent(code)}`)
  t.match(printed.args(), [['Hello'], [/^thr_/, 'Greeting']])
})

const asAda = { getHeaders: async () => ({ 'x-user': 'ada' }) }

/** Something of everything that streams. */
const lively: Responder = async function* (turn: Turn) {
  turn.thread.title ??= 'Lively'
  yield { type: 'progress_update', text: 'Looking it up' }
  const steps = startWorkflow(turn)
  yield* steps.add({ type: 'custom', title: 'Search', status_indicator: 'loading' })
  yield* steps.update(0, { status_indicator: 'complete' })
  yield* steps.finish({ title: 'Found it' })
  yield* say(turn, ['Hé', 'l', '✓ lo'])
  const text = (value: string, streaming: boolean) =>
    widgets.Card({ children: [widgets.Text({ id: 'words', value, streaming })] })
  yield* streamWidget(
    turn,
    (async function* () {
      yield text('', true)
      yield text('Grow', true)
      yield text('Growing', false)
    })()
  )
  yield { type: 'thread.item.added', item: { id: turn.newItemId('generated_image'), type: 'generated_image' } }
  yield { type: 'thread.item.done', item: { type: 'end_of_turn', id: turn.newItemId('end_of_turn') } }
}

t.test('every request, over a real socket', async t => {
  const store = memoryThreadStore()
  const server = await buildApp(t, {
    threadStore: store,
    respond: lively,
    action: async function* (turn) {
      yield* say(turn, `did ${turn.action.type}`)
    },
    syncAction: async () => undefined,
    transcribe: async () => 'spoken',
    feedback: async () => undefined
  })
  const client = chatkitClient({ url: server.url, ...asAda })

  const first = endTurn(await follow(client.createThread('Hello')))
  const threadId = first.thread?.id ?? ''
  t.equal(first.thread?.title, 'Lively')
  const stored = async () => (await client.listItems(threadId, { order: 'asc', limit: 100 })).data
  t.strictSame(first.items, await stored(), 'what was folded together is what a reload shows')
  t.strictSame(
    first.items.map(({ type }) => type),
    ['user_message', 'workflow', 'assistant_message', 'widget', 'end_of_turn']
  )

  const second = endTurn(
    await follow(client.addMessage(threadId, { content: [{ type: 'input_text', text: 'More' }] }), first)
  )
  t.strictSame(second.items, await stored())

  const [question] = second.items
  const again = await follow(client.retryAfter(threadId, question?.id ?? ''), withoutAfter(second, question?.id ?? ''))
  t.strictSame(endTurn(again).items, await stored(), 'after a retry as well')

  const widget = (await stored()).find(({ type }) => type === 'widget')
  const acted = await all(client.sendAction(threadId, { type: 'press', payload: { a: null } }, widget?.id))
  t.match(acted.at(-1), { type: 'thread.item.done', item: { content: [{ text: 'did press' }] } })
  t.equal(await client.sendSyncAction(threadId, { type: 'press' }, widget?.id), null)

  t.equal((await client.renameThread(threadId, 'Renamed')).title, 'Renamed')
  const got = await client.getThread(threadId)
  t.equal(got.title, 'Renamed')
  t.strictSame(viewOf(got).items, (await stored()).slice(0, 20))
  await all(client.createThread('Another'))
  const page = await client.listThreads({ limit: 1, order: 'asc' })
  t.match(page, { data: [{ id: threadId }], has_more: true, after: threadId })
  t.equal((await client.listThreads({ after: page.after, order: 'asc' })).data.length, 1)

  await client.sendFeedback(threadId, [question?.id ?? ''], 'positive')
  t.equal(await client.transcribe(Buffer.from('sound').toString('base64'), 'audio/webm'), 'spoken')
  await client.deleteThread(threadId)
  t.match(await failure(client.getThread(threadId)), {
    status: 404,
    code: 'FST_CHATKIT_THREAD_NOT_FOUND',
    message: 'Thread not found',
    retryable: false
  })
  t.match(await failure(all(client.addMessage(threadId, 'Hello?'))), {
    status: 404,
    code: 'FST_CHATKIT_THREAD_NOT_FOUND'
  })
})

t.test('a tool of the page, and questions', async t => {
  const server = await buildApp(t, {
    async *respond(turn) {
      if (turn.input)
        yield {
          type: 'thread.item.done',
          item: {
            type: 'client_tool_call',
            id: turn.newItemId('client_tool_call'),
            call_id: 'c',
            name: 'where',
            arguments: {}
          }
        }
      else if ((await turn.items.newest(9)).some(({ type }) => type === 'structured_input')) yield* say(turn, 'thanks')
      else
        yield {
          type: 'thread.item.done',
          item: {
            type: 'structured_input',
            id: turn.newItemId('structured_input'),
            inputs: [{ type: 'freeform', id: 'q', question: 'Why?' }]
          }
        }
    }
  })
  const client = chatkitClient({ url: server.url, ...asAda })
  const asked = await follow(client.createThread('Where am I?'))
  const threadId = asked.thread?.id ?? ''
  const told = await follow(client.addToolOutput(threadId, undefined), asked)
  const questions = told.items.at(-1)
  const done = await follow(
    client.answerQuestions(threadId, questions?.id ?? '', { answers: { q: { values: ['So'] } } }),
    told
  )
  t.match(done.items.slice(-2), [
    { id: questions?.id, status: 'answered', inputs: [{ answer: { values: ['So'] } }] },
    { type: 'assistant_message', content: [{ text: 'thanks' }] }
  ])
})

t.test('attachments are announced, sent, used and deleted', async t => {
  const { address, files } = await attachmentApp(t)
  const sent: string[] = []
  const client = chatkitClient({
    url: `${address}/chatkit`,
    getHeaders: () => ({ 'x-user': 'ada', authorization: 'Bearer secret' }),
    fetch: async (input, init) => {
      sent.push(`${init?.method} ${new Headers(init?.headers).get('authorization')}`)
      return await fetch(input, init)
    }
  })
  const file = new File([png], 'dot.png', { type: 'image/png' })
  const attachment = await client.attach(file)
  t.match(attachment, { name: 'dot.png', type: 'image' })
  t.strictSame(sent, ['POST Bearer secret', 'PUT null'], 'the token stays at home')
  const message = { content: [{ type: 'input_text' as const, text: 'Look' }], attachments: [attachment.id] }
  t.match((await follow(client.createThread(message))).items[0], {
    attachments: [{ id: attachment.id, name: 'dot.png' }]
  })

  const lie = new File(['plain text'], 'dot.png', { type: 'image/png' })
  t.match(await failure(client.attach(lie)), { status: 415, retryable: false })
  t.equal((await files()).length, 1, 'what was refused is gone again')
  await client.deleteAttachment(attachment.id)
  t.equal((await files()).length, 0)
})

t.test('Stop ends the request, and the server sees the reader leave', async t => {
  const left: unknown[] = []
  const server = await buildApp(t, {
    async *respond(turn) {
      const id = turn.newItemId()
      yield { type: 'thread.item.added', item: { type: 'assistant_message', id, content: [] } }
      const update = { type: 'assistant_message.content_part.text_delta' as const, content_index: 0, delta: 'Hel' }
      yield { type: 'thread.item.updated', item_id: id, update }
      await once(turn.signal, 'abort')
      left.push(turn.signal.reason)
    }
  })
  const client = chatkitClient({ url: server.url, ...asAda })

  t.test('by a signal', async t => {
    const stop = new AbortController()
    let view = emptyView
    const reading = (async () => {
      for await (const event of client.createThread('Hi', { signal: stop.signal })) {
        view = applyEvent(view, event)
        if (event.type === 'thread.item.updated') setImmediate(() => stop.abort(new Error('enough')))
      }
    })()
    await t.rejects(reading, { message: 'enough' })
    t.match(endTurn(view).items.at(-1), { content: [{ text: 'Hel' }] })
    await until(() => left.length === 1)
    const items = () => client.listItems(view.thread?.id ?? '', { order: 'asc' })
    await until(async () => (await items()).data.length === 2)
    t.strictSame(ids((await items()).data), ids(endTurn(view).items), 'the server has kept the same')
  })

  t.test('by leaving the loop', async () => {
    for await (const event of client.createThread('Hi')) if (event.type === 'thread.item.updated') break
    await until(() => left.length === 2)
  })

  t.test('before anything is sent', async t => {
    const reason = new Error('never mind')
    await t.rejects(all(client.createThread('Hi', { signal: AbortSignal.abort(reason) })), reason)
    await t.rejects(client.listThreads({}, { signal: AbortSignal.abort(reason) }), reason)
    t.equal(left.length, 2)
  })
})

/** A server that answers as it is told, with the options of a client for it that waits a little between its tries. */
async function rawServer(
  t: Test,
  answer: RequestListener
): Promise<ClientOptions & { server: Server; waits: number[] }> {
  const server = createServer(answer)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const waits: number[] = []
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    retry: { minDelayMs: 4, maxDelayMs: 30 },
    onRetry: ({ delayMs }) => waits.push(delayMs),
    server,
    waits
  }
}

const stream = { 'content-type': 'text/event-stream; charset=utf-8' }
const event = 'data: {"type":"progress_update","text":"…"}\n\n'

t.test('a 5xx, or a success that is no stream, is asked again', async t => {
  let asked = 0
  const keys: (string | undefined)[] = []
  const options = await rawServer(t, (request, response) => {
    asked += 1
    keys.push(request.headers.authorization)
    if (asked === 1) response.writeHead(502).end('<h1>Bad gateway</h1>')
    else if (asked === 2) response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    else response.writeHead(200, stream).end(event)
  })
  const tokens = ['first', 'second', 'third']
  const client = chatkitClient({ ...options, getHeaders: () => ({ authorization: `Bearer ${tokens.shift()}` }) })
  t.strictSame(await all(client.createThread('Hi')), [{ type: 'progress_update', text: '…' }])
  t.equal(asked, 3)
  t.strictSame(keys, ['Bearer first', 'Bearer second', 'Bearer third'], 'with a credential that is asked for anew')
  t.equal(options.waits.length, 2)
})

t.test('six times at most, waiting longer each time', async t => {
  let asked = 0
  const options = await rawServer(t, (_request, response) => {
    asked += 1
    response
      .writeHead(503, { 'content-type': 'application/json' })
      .end('{"message":"Away","code":"DATABASE_UNAVAILABLE"}')
  })
  const error = await failure(all(chatkitClient(options).createThread('Hi')))
  t.match(error, { message: 'Away', status: 503, code: 'DATABASE_UNAVAILABLE', retryable: true })
  t.equal(asked, 6)
  const limits = [4, 8, 16, 30, 30]
  for (const [index, wait] of options.waits.entries()) {
    const most = limits[index] ?? 0
    t.ok(wait >= most / 2 - 1 && wait <= most, `${wait} of ${most} ms`)
  }

  asked = 0
  await failure(chatkitClient(options).listThreads())
  t.equal(asked, 1, 'what does not stream is asked once')
})

t.test('no 4xx is asked again, nor what a server puts off for longer', async t => {
  let asked = 0
  const answers = [
    {
      status: 401,
      headers: {},
      body: '{"error":"Sign in","detail":"Expired"}',
      is: { code: 'HTTP_401', message: 'Sign in', detail: 'Expired', retryable: false }
    },
    {
      status: 429,
      headers: { 'retry-after': '7', 'x-request-id': 'req-7' },
      body: '',
      is: { code: 'HTTP_429', retryAfterMs: 7000, requestId: 'req-7', retryable: true }
    },
    {
      status: 503,
      headers: { 'retry-after': '3600' },
      body: 'null',
      is: { code: 'HTTP_503', retryAfterMs: 3_600_000, retryable: true }
    }
  ]
  const options = await rawServer(t, (_request, response) => {
    const { status, headers, body } = answers[asked] ?? answers[0] ?? { status: 500, headers: {}, body: '' }
    asked += 1
    response.writeHead(status, headers).end(body)
  })
  for (const [index, { is }] of answers.entries()) {
    t.match(await failure(all(chatkitClient(options).createThread('Hi'))), is)
    t.equal(asked, index + 1)
  }
})

t.test('Stop while it waits to ask again', async t => {
  const stop = new AbortController()
  const options = await rawServer(t, (_request, response) => response.writeHead(500).end())
  const client = chatkitClient({
    ...options,
    retry: { minDelayMs: 60_000, maxDelayMs: 60_000 },
    onRetry: () => stop.abort()
  })
  await t.rejects(all(client.createThread('Hi', { signal: stop.signal })), { name: 'AbortError' })
})

t.test('an answer that breaks off is lost, and not asked for again', async t => {
  let asked = 0
  const endings: Record<string, (response: Parameters<RequestListener>[1]) => void> = {
    'the server dies': response => response.destroy(),
    'the end is clean, in the middle of an event': response => response.end('data: {"type"'),
    'the server falls silent': () => undefined
  }
  for (const [why, end] of Object.entries(endings)) {
    t.test(why, async t => {
      asked = 0
      const options = await rawServer(t, (_request, response) => {
        asked += 1
        response.writeHead(200, stream)
        response.write(event, () => setImmediate(end, response))
      })
      const seen: StreamEvent[] = []
      const reading = (async () => {
        for await (const one of chatkitClient({ ...options, idleMs: 100 }).createThread('Hi')) seen.push(one)
      })()
      t.match(await failure(reading), { code: 'CONNECTION_LOST', status: null, retryable: true })
      t.equal(seen.length, 1, 'what came is kept')
      t.equal(asked, 1)
    })
  }
})

t.test('a server that dies while it answers', async t => {
  const server = await buildApp(t, {
    async *respond(turn) {
      yield { type: 'progress_update', text: 'Not for long' }
      await once(turn.signal, 'abort')
    }
  })
  let view = emptyView
  const reading = (async () => {
    for await (const one of chatkitClient({ url: server.url, ...asAda }).createThread('Hi')) {
      view = applyEvent(view, one)
      if (one.type === 'progress_update') server.app.server.closeAllConnections()
    }
  })()
  t.match(await failure(reading), { code: 'CONNECTION_LOST', retryable: true })
  t.strictSame(
    endTurn(view).items.map(({ type }) => type),
    ['user_message'],
    'what was told before stays'
  )
})

t.test('a server that is not there', async t => {
  const { server, ...options } = await rawServer(t, () => undefined)
  server.close()
  await once(server, 'close')
  for (const work of [all(chatkitClient(options).createThread('Hi')), chatkitClient(options).listThreads()])
    t.match(await failure(work), { code: 'NETWORK_FAILED', status: null, retryable: true })
  t.strictSame(options.waits, [], 'it may have arrived: not sent again')
})

t.test('an answer that makes no sense', async t => {
  for (const body of ['data: [DONE]\n\n', 'data: {"kind":1}\n\n', 'data: null\n\n']) {
    const options = await rawServer(t, (_request, response) => response.writeHead(200, stream).end(body))
    t.match(await failure(all(chatkitClient(options).createThread('Hi'))), { code: 'STREAM_INVALID', retryable: false })
  }
  t.throws(() => chatkitClient({ url: '' }), TypeError)
})

const ids = (items: readonly { id: string }[]) => items.map(({ id }) => id)

async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5000
  while (!(await is())) {
    if (Date.now() > deadline) throw new Error('It never came to be')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
