import { setTimeout as wait } from 'node:timers/promises'
import { postgresThreadStore, progress, type StreamEvent } from 'fastify-chatkit'
import { type ChatCompletionsOptions, chatCompletions, defineTool } from 'fastify-chatkit/chat-completions'
import { calls, memoryThreadStore, modelServer, readEvents, says } from 'fastify-chatkit/testing'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { add, buildApp, create, kinds, threadIdOf } from '../fixtures/build-app.ts'
import { migratedDatabase } from '../fixtures/database.ts'
import { until } from '../fixtures/until.ts'
import { type Reply, responderApp, textOf } from './fixtures/responder-app.ts'

const weather = {
  name: 'weather',
  description: 'Weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } } }
}

/** A model that replies so, and an app that asks it. */
const setUp = (t: Test, options: Partial<ChatCompletionsOptions>, ...replies: Reply[]) =>
  responderApp(t, { respond: baseUrl => chatCompletions({ baseUrl, model: 'fake', ...options }) }, ...replies)

t.test('text is shown as it comes: each piece before the model says the next', async t => {
  let heard = 0
  const { post, exchanges } = await setUp(
    t,
    {},
    says(['One', ' two', ' three'], said => until(() => heard === said))
  )
  const seen: StreamEvent[] = []
  for await (const event of readEvents(await post(create('Count')))) {
    if (event.type === 'thread.item.updated' && event.update.type.endsWith('text_delta')) heard++
    seen.push(event)
  }
  t.strictSame(kinds(seen), [
    'thread.created',
    'user_message done',
    'stream_options',
    'assistant_message added',
    'added',
    'text_delta',
    'text_delta',
    'text_delta',
    'done',
    'assistant_message done'
  ])
  t.equal(textOf(seen), 'One two three')
  t.match(exchanges[0], { url: '/v1/chat/completions', body: { model: 'fake', stream: true } })
  t.notOk('tools' in (exchanges[0]?.body ?? {}))
})

t.test('the model is given its instructions, the thread, and what else was asked for', async t => {
  const { events, exchanges } = await setUp(
    t,
    {
      apiKey: async () => 'sk-secret',
      headers: { 'x-title': 'Support' },
      instructions: turn => `You help ${turn.owner}.`,
      model: turn => turn.input?.inference_options.model ?? 'small',
      body: { temperature: 0 }
    },
    says(['Hello Ada']),
    says(['Bye'])
  )
  const id = threadIdOf(await events(create('Hi', { inference_options: { model: 'large' } })))
  await events(add(id, 'Bye'))
  t.match(exchanges[0], {
    headers: { authorization: 'Bearer sk-secret', 'x-title': 'Support' },
    body: { model: 'large', temperature: 0 }
  })
  t.equal(exchanges[1]?.body.model, 'small')
  t.strictSame(exchanges[1]?.body.messages, [
    { role: 'system', content: 'You help ada.' },
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello Ada' },
    { role: 'user', content: 'Bye' }
  ])
})

t.test('trap 18: ids are our own, whatever the provider calls its messages', async t => {
  const { events } = await setUp(t, {}, says(['a']), says(['b']))
  const first = await events(create('1'))
  const second = await events(add(threadIdOf(first), '2'))
  const ids = [first, second].map(all => all.flatMap(one => ('item' in one ? [one.item.id] : [])).at(-1) ?? '')
  t.match(ids[0], /^msg_[0-9a-f]{24}$/)
  t.not(ids[0], ids[1])
})

t.test('a stream may be cut anywhere, even within a character, and end its lines as it likes', async t => {
  const whole = 'Grüße 👩‍👩‍👧 – ✓'
  for (const [why, end] of [
    ['line feeds', '\n'],
    ['carriage returns', '\r'],
    ['both', '\r\n']
  ] as const)
    await t.test(why, async t => {
      const { events } = await setUp(t, {}, async ({ raw, response }) => {
        const body = [
          '\uFEFF: a comment',
          'event: message',
          `data: ${JSON.stringify({ choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] })}`,
          '',
          ...[...whole].flatMap(content => [
            `data:${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}`,
            '',
            ': keep-alive',
            ''
          ]),
          'data: {"choices":[],',
          'data: "usage":{"total_tokens":3}}',
          '',
          'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
          '',
          'data: [DONE]',
          '',
          ''
        ].join(end)
        response.socket?.setNoDelay(true)
        const bytes = Buffer.from(body)
        // Slowly enough for each piece to be a packet of its own.
        for (let at = 0; at < bytes.length; at += 7) {
          raw(bytes.subarray(at, at + 7))
          await wait(2)
        }
        response.end()
      })
      const told = await events(create('Hi'))
      t.equal(textOf(told), whole)
      t.match(told.at(-1), { type: 'thread.item.done', item: { content: [{ text: whole }] } })
    })
})

t.test('a server that does not stream is understood too', async t => {
  const { events } = await setUp(t, {}, ({ json }) =>
    json(200, {
      choices: [{ index: 0, message: { role: 'assistant', content: 'All at once' }, finish_reason: 'stop' }]
    })
  )
  t.equal(textOf(await events(create('Hi'))), 'All at once')
})

t.test('a whole answer may call tools too', async t => {
  const used: string[] = []
  const tools = ['a', 'b'].map(name => ({ name, execute: () => `${used.push(name)}` }))
  const { events } = await setUp(
    t,
    { tools },
    ({ json }) => {
      const tool_calls = ['a', 'b'].map(name => ({ function: { name, arguments: '{}' } }))
      json(200, { choices: [{ message: { role: 'assistant', tool_calls }, finish_reason: 'tool_calls' }] })
    },
    says(['done'])
  )
  t.equal(textOf(await events(create('Hi'))), 'done')
  t.strictSame(used, ['a', 'b'])
})

t.test('a stream without an end mark is complete when it said why it ended, and is not when it did not', async t => {
  const { events, items, problems } = await setUp(
    t,
    {},
    ({ raw, response }) => {
      raw('data: {"choices":[{"index":0,"delta":{"content":"Yes"},"finish_reason":"stop"}]}')
      response.end()
    },
    ({ delta, response }) => {
      delta({ content: 'Half an ans' })
      response.end()
    },
    ({ delta, response }) => {
      delta({ content: 'Half an ans' })
      setTimeout(() => response.destroy(), 50)
    }
  )
  const told = await events(create('Hi'))
  t.match(told.at(-1), { type: 'thread.item.done' })
  const id = threadIdOf(told)
  for (const why of ['ended early', 'cut off'])
    t.match(
      (await events(add(id, 'Again'))).slice(-2),
      [
        { type: 'thread.item.done', item: { content: [{ text: 'Half an ans' }] } },
        { type: 'error', code: 'custom', message: /try again/, allow_retry: true }
      ],
      why
    )
  t.equal((await items(id)).length, 6)
  t.match(problems(), [
    { reason: 'answer', threadId: id },
    { reason: 'unavailable', threadId: id }
  ])
})

for (const [name, makeStore] of [
  ['in memory', async () => memoryThreadStore()],
  ['in Postgres', async () => postgresThreadStore(await migratedDatabase(t))]
] as const)
  t.test(`a reader who leaves ends the request to the model, and half the reply is kept, ${name}`, async t => {
    // After the last piece but one it is silent, so that nothing but the reader's leaving can end it.
    const reply = says(['0 ', '1 ', '2 ', '3 ', '4 '], said => (said < 4 ? wait(10) : new Promise(() => {})))
    const { baseUrl, exchanges } = await modelServer(t, reply)
    const store = await makeStore()
    const { post } = await buildApp(t, { respond: chatCompletions({ baseUrl, model: 'fake' }), threadStore: store })
    const controller = new AbortController()
    const seen: StreamEvent[] = []
    for await (const event of readEvents(await post(create('Count'), { signal: controller.signal }))) {
      seen.push(event)
      if (textOf(seen).includes('3')) break
    }
    controller.abort()
    await until(() => exchanges[0]?.leftAt !== null)
    const mine = store.forOwner('ada')
    const stored = async () => (await mine.listItems(threadIdOf(seen), { limit: 9, order: 'asc', hidden: true })).data
    await until(async () => (await stored()).length === 3)
    t.match(await stored(), [
      { type: 'user_message' },
      { type: 'assistant_message', content: [{ text: '0 1 2 3 ' }] },
      { type: 'sdk_hidden_context' }
    ])
  })

t.test('a reader who leaves while nothing was said yet, or while a tool runs, ends that too', async t => {
  let toolSignal: AbortSignal | null = null
  const slow = {
    name: 'slow',
    execute: (_: object, call: { signal: AbortSignal }) => {
      toolSignal = call.signal
      return new Promise(() => undefined)
    }
  }
  const { post, exchanges } = await setUp(t, { tools: [slow] }, () => undefined, calls('slow', {}))
  for (const ready of [() => exchanges.length === 1, () => toolSignal !== null]) {
    const controller = new AbortController()
    const response = await post(create('Hi'), { signal: controller.signal })
    await until(ready)
    controller.abort()
    await t.rejects(response.text())
  }
  await until(() => exchanges[0]?.leftAt !== null)
  await until(() => toolSignal?.aborted === true)
  t.pass()
})

const publicWords = {
  unavailable: 'The assistant is not available at the moment.',
  unreachable: 'The assistant cannot be reached at the moment. Please try again.',
  busy: 'The assistant is very busy. Please try again in a moment.',
  tooLong: 'This conversation has become too long for the assistant. Please start a new one.'
}

t.test('what goes wrong at the provider is told in words for the reader, and in the log for the operator', async t => {
  const openai = (code: string | null, message: string, type = 'invalid_request_error') => ({
    error: { message, type, code }
  })
  const cases: {
    why: string
    status: number
    body: unknown
    reason: string
    message: string
    retry: boolean
    asked?: number
  }[] = [
    {
      why: 'a wrong key',
      status: 401,
      body: openai('invalid_api_key', 'Incorrect API key provided: sk-se***et'),
      reason: 'key',
      message: publicWords.unavailable,
      retry: false
    },
    {
      why: 'a key that may not',
      status: 403,
      body: { message: 'Forbidden: sk-secret' },
      reason: 'key',
      message: publicWords.unavailable,
      retry: false
    },
    {
      why: 'an unknown model',
      status: 404,
      body: openai('model_not_found', 'The model `fake` does not exist'),
      reason: 'model',
      message: publicWords.unavailable,
      retry: false
    },
    {
      why: 'an unknown model, at Ollama',
      status: 404,
      body: openai(null, 'model "fake" not found, try pulling it first', 'api_error'),
      reason: 'model',
      message: publicWords.unavailable,
      retry: false
    },
    {
      why: 'nothing left to spend',
      status: 429,
      body: openai('insufficient_quota', 'You exceeded your current quota', 'insufficient_quota'),
      reason: 'quota',
      message: publicWords.unavailable,
      retry: false
    },
    {
      why: 'too many requests',
      status: 429,
      body: openai('rate_limit_exceeded', 'Rate limit reached', 'requests'),
      reason: 'rate_limit',
      message: publicWords.busy,
      retry: true,
      asked: 3
    },
    {
      why: 'too long, at OpenAI',
      status: 400,
      body: openai('context_length_exceeded', "This model's maximum context length is 8192 tokens."),
      reason: 'context',
      message: publicWords.tooLong,
      retry: false
    },
    {
      why: 'too long, at vLLM',
      status: 400,
      body: {
        object: 'error',
        message: "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens",
        type: 'BadRequestError',
        code: 400
      },
      reason: 'context',
      message: publicWords.tooLong,
      retry: false
    },
    {
      why: 'too long, at llama.cpp',
      status: 400,
      body: {
        error: {
          code: 400,
          message: 'the request exceeds the available context size, try increasing it',
          type: 'exceed_context_size_error'
        }
      },
      reason: 'context',
      message: publicWords.tooLong,
      retry: false
    },
    {
      why: 'a request it does not take',
      status: 400,
      body: { error: 'unknown field sk-secret' },
      reason: 'request',
      message: publicWords.unavailable,
      retry: false
    },
    {
      why: 'a failure of its own',
      status: 503,
      body: 'overloaded',
      reason: 'unavailable',
      message: publicWords.unreachable,
      retry: true,
      asked: 3
    }
  ]
  for (const { why, status, body, reason, message, retry, asked = 1 } of cases)
    await t.test(why, async t => {
      const reply: Reply = ({ json }) => json(status, body, { 'retry-after-ms': '1' })
      const { events, exchanges, problems, logged } = await setUp(t, { apiKey: 'sk-secret' }, reply, reply, reply)
      const told = await events(create('Hi'))
      t.strictSame(told.at(-1), { type: 'error', code: 'custom', message, allow_retry: retry })
      t.equal(exchanges.length, asked)
      t.match(problems().at(-1), { level: 50, reason, status, threadId: threadIdOf(told), requestId: /req/ })
      t.equal(problems().length, asked, 'one line, and one for each retry')
      t.notMatch(JSON.stringify(logged), /sk-se/, 'the key is in no log')
    })
})

t.test('the words for the reader can be others', async t => {
  const { events } = await setUp(t, { retries: 0, errorMessages: { rate_limit: 'Gerade ist viel los.' } }, ({ json }) =>
    json(429, {})
  )
  t.match((await events(create('Hi'))).at(-1), { message: 'Gerade ist viel los.', allow_retry: true })
})

t.test('an error in the middle of a stream keeps what was said, and is not asked again', async t => {
  const { events, exchanges, problems } = await setUp(t, {}, ({ delta, send, response }) => {
    delta({ content: 'Half' })
    send({ error: { code: 502, message: 'upstream died' }, choices: [{ index: 0, delta: {}, finish_reason: 'error' }] })
    response.end()
  })
  t.match((await events(create('Hi'))).slice(-2), [
    { type: 'thread.item.done', item: { content: [{ text: 'Half' }] } },
    { type: 'error', message: publicWords.unreachable, allow_retry: true }
  ])
  t.equal(exchanges.length, 1)
  t.match(problems(), [{ reason: 'unavailable', status: 502, detail: 'upstream died' }])
})

t.test('a request is made again while nothing of an answer has come', async t => {
  const { events, exchanges, problems } = await setUp(
    t,
    {},
    ({ json }) => json(429, { error: { message: 'slow down' } }, { 'retry-after': '0' }),
    ({ delta, response }) => {
      delta({ role: 'assistant', content: '' })
      setTimeout(() => response.destroy(), 20)
    },
    says(['At last'])
  )
  const told = await events(create('Hi'))
  t.equal(textOf(told), 'At last')
  t.equal(exchanges.length, 3)
  t.match(problems(), [
    { level: 40, reason: 'rate_limit', delayMs: 0 },
    { level: 40, reason: 'unavailable' }
  ])
})

t.test('Retry-After is waited for, in seconds or until a date, but not for long', async t => {
  const busy =
    (value: string): Reply =>
    ({ json }) =>
      json(429, {}, { 'retry-after': value })
  const { events, exchanges } = await setUp(
    t,
    { maxRetryDelayMs: 2500 },
    busy('1'),
    says(['a']),
    busy(new Date(Date.now() + 60_000).toUTCString())
  )
  const began = performance.now()
  t.equal(textOf(await events(create('Hi'))), 'a')
  t.ok(performance.now() - began >= 1000)
  const again = performance.now()
  t.match((await events(create('Hi'))).at(-1), { type: 'error' })
  t.ok(performance.now() - again < 20_000, 'not the minute that was asked for')
  t.equal(exchanges.length, 3)
})

t.test('a model that says nothing for too long is given up: before it begins, and in the middle', async t => {
  const unreachable = { type: 'error', message: publicWords.unreachable, allow_retry: true }
  const before = await setUp(t, { connectTimeoutMs: 100, retries: 0 }, () => undefined)
  t.match((await before.events(create('Hi'))).at(-1), unreachable)
  await until(() => before.exchanges[0]?.leftAt !== null)
  t.match(before.problems(), [{ reason: 'timeout', detail: 'No answer began within 100 ms' }])

  const { events, exchanges, problems } = await setUp(
    t,
    { idleTimeoutMs: 100, retries: 0 },
    ({ delta }) => delta({ content: 'Half' }),
    async ({ raw, delta, finish }) => {
      for (let beats = 0; beats < 6; beats++) {
        raw(': still loading\n\n')
        await wait(40)
      }
      delta({ content: 'Here' })
      finish()
    },
    async ({ raw, delta, finish }) => {
      raw(': still loading\n\n')
      await wait(40)
      delta({ content: 'Here' })
      // Nobody in this process hears of it for longer than is waited for.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
      finish()
    }
  )
  t.match((await events(create('Hi'))).slice(-2), [{ item: { content: [{ text: 'Half' }] } }, unreachable])
  await until(() => exchanges[0]?.leftAt !== null)
  t.equal(textOf(await events(create('Hi'))), 'Here', 'a comment is a sign of life')
  t.equal(textOf(await events(create('Hi'))), 'Here', 'what has come is read, however late it is')
  t.match(problems(), [{ reason: 'timeout', detail: 'Nothing came for 100 ms' }])
  t.equal(problems().length, 1)
})

t.test('time does not run while the reader is the slow one', async t => {
  const { baseUrl } = await modelServer(t, says(['One', ' two', ' three'], 30))
  const model = chatCompletions({ baseUrl, model: 'fake', idleTimeoutMs: 100 })
  const { events } = await buildApp(t, {
    async *respond(turn) {
      for await (const event of model(turn)) {
        yield event
        await wait(150)
      }
    }
  })
  const told = await events(create('Count'))
  t.equal(textOf(told), 'One two three')
  t.match(told.at(-1), { type: 'thread.item.done' })
})

t.test('a server that cannot be reached, or is none, is the operator’s to mend', async t => {
  const { baseUrl } = await modelServer(t)
  const gone = await buildApp(t, {
    respond: chatCompletions({ baseUrl: 'http://127.0.0.1:1/v1', model: 'fake', retries: 0 })
  })
  t.match((await gone.events(create('Hi'))).at(-1), { message: publicWords.unreachable })
  t.match(
    gone.logged.filter(line => Number(line.level) >= 50),
    [{ reason: 'unavailable', baseUrl: 'http://127.0.0.1:1/v1' }]
  )
  t.ok(baseUrl)
  const { events, problems } = await setUp(
    t,
    {},
    ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/html' })
      response.end('<h1>Welcome</h1>')
    },
    ({ response }) => {
      response.writeHead(301, { location: 'https://elsewhere.example/v1' })
      response.end()
    }
  )
  for (let turn = 0; turn < 2; turn++)
    t.match((await events(create('Hi'))).at(-1), { message: publicWords.unavailable })
  t.match(problems(), [
    { reason: 'model', detail: /text\/html/ },
    { reason: 'model', detail: /redirect to https:\/\/elsewhere\.example/ }
  ])
})

t.test('a tool runs here, may show what it does, and its output goes back to the model', async t => {
  const asked: object[] = []
  const { events, exchanges, items } = await setUp(
    t,
    {
      tools: [
        {
          ...weather,
          async *execute(args, { callId }) {
            asked.push({ ...args, callId })
            yield progress('Looking out of the window')
            return { degrees: 7 }
          }
        }
      ]
    },
    async exchange => {
      exchange.delta({ content: 'Let me see.' })
      calls('weather', { city: 'Zürich' })(exchange)
    },
    says(['7 degrees'])
  )
  const told = await events(create('How is it outside?'))
  t.strictSame(kinds(told).slice(3), [
    'assistant_message added',
    'added',
    'text_delta',
    'done',
    'assistant_message done',
    'progress_update',
    'assistant_message added',
    'added',
    'text_delta',
    'done',
    'assistant_message done'
  ])
  t.strictSame(asked, [{ city: 'Zürich', callId: 'call_1' }])
  t.strictSame(exchanges[0]?.body.tools, [
    {
      type: 'function',
      function: { name: 'weather', description: 'Weather of a city', parameters: weather.parameters }
    }
  ])
  t.strictSame(exchanges[1]?.body.messages.slice(1), [
    {
      role: 'assistant',
      content: 'Let me see.',
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Zürich"}' } }]
    },
    { role: 'tool', tool_call_id: 'call_1', content: '{"degrees":7}' }
  ])
  t.strictSame(
    (await items(threadIdOf(told))).map(item => item.type),
    ['user_message', 'assistant_message', 'assistant_message']
  )
})

t.test('calls come in many forms', async t => {
  const both = [
    ['a', '{"n":1}'],
    ['b', '{"n":2}']
  ] as const
  const forms: Record<string, (exchange: Parameters<Reply>[0]) => void> = {
    'interleaved, by index': ({ delta }) => {
      delta({
        tool_calls: both.map(([name], index) => ({ index, id: `id_${name}`, function: { name, arguments: '' } }))
      })
      for (const half of [0, 1])
        delta({
          tool_calls: both.map(([, json], index) => ({
            index,
            function: { arguments: half === 0 ? json.slice(0, 3) : json.slice(3) }
          }))
        })
    },
    'all under index 0, told apart by id': ({ delta }) => {
      for (const [name, json] of both)
        delta({ tool_calls: [{ index: 0, id: `id_${name}`, function: { name, arguments: json } }] })
    },
    'without index or id': ({ delta }) => {
      for (const [name, json] of both) delta({ tool_calls: [{ function: { name, arguments: json } }] })
    },
    'arguments as an object': ({ delta }) => {
      for (const [name, json] of both)
        delta({ tool_calls: [{ id: `id_${name}`, function: { name, arguments: JSON.parse(json) } }] })
    },
    'the name repeated with each piece': ({ delta }) => {
      for (const [index, [name, json]] of both.entries())
        for (const piece of [json.slice(0, 2), json.slice(2)])
          delta({ tool_calls: [{ index, id: `id_${name}`, function: { name, arguments: piece } }] })
    }
  }
  for (const [form, send] of Object.entries(forms))
    await t.test(form, async t => {
      const used: string[] = []
      const tools = ['a', 'b'].map(name => ({
        name,
        execute: (args: object) => `${used.push(`${name} ${JSON.stringify(args)}`)}`
      }))
      const { events, exchanges } = await setUp(
        t,
        { tools },
        exchange => {
          send(exchange)
          exchange.finish('tool_calls')
        },
        says(['done'])
      )
      t.equal(textOf(await events(create('Go'))), 'done')
      t.strictSame(used, ['a {"n":1}', 'b {"n":2}'])
      const ids = exchanges[1]?.body.messages.slice(2).map((message: { tool_call_id: string }) => message.tool_call_id)
      t.equal(new Set(ids).size, 2)
      t.ok(ids.every((id: string) => id.length > 2))
    })
})

t.test('the model is told what is wrong with its call, and a tool’s failure says nothing of its cause', async t => {
  const find = defineTool({
    name: 'find',
    parameters: z.object({ id: z.string().min(2), tags: z.array(z.string()).default([]) }),
    execute({ id, tags }) {
      if (tags.length > 0) return `${id} has ${tags.length} tags`
      throw new Error('password of the database')
    }
  })
  const { events, exchanges, problems } = await setUp(
    t,
    { tools: [find] },
    calls('find', { id: 'x' }),
    calls('search', {}),
    exchange => {
      exchange.delta({ tool_calls: [{ index: 0, id: 'c', function: { name: 'find', arguments: '{"id": "xy' } }] })
      exchange.finish('tool_calls')
    },
    calls('find', { id: 'xy' }),
    calls('find', { id: 'xy', tags: ['t'] }),
    says(['Sorry'])
  )
  t.equal(textOf(await events(create('Go'))), 'Sorry')
  const outputs = exchanges.at(-1)?.body.messages.filter((message: { role: string }) => message.role === 'tool')
  t.match(
    outputs.map((message: { content: string }) => message.content),
    [
      /^The arguments are wrong\. id: /,
      'There is no tool named search.',
      /no JSON/,
      'The tool failed.',
      'xy has 1 tags'
    ]
  )
  t.match(exchanges[0]?.body.tools[0].function.parameters, { type: 'object', required: ['id'] })
  t.notOk('$schema' in (exchanges[0]?.body.tools[0].function.parameters ?? {}))
  t.match(problems(), [{ level: 50, tool: 'find', err: { message: 'password of the database' } }])
})

t.test('steps are limited: at the last one the model is asked to do without tools', async t => {
  const tools = [{ name: 'again', execute: () => 'once more' }]
  const { events, exchanges } = await setUp(
    t,
    { tools, maxSteps: 3 },
    calls('again', {}),
    calls('again', {}),
    says(['Enough'])
  )
  t.equal(textOf(await events(create('Go'))), 'Enough')
  t.strictSame(
    exchanges.map(({ body }) => body.tool_choice),
    [undefined, undefined, 'none']
  )
  const stubborn = await setUp(t, { tools, maxSteps: 2 }, calls('again', {}), calls('again', {}))
  t.match((await stubborn.events(create('Go'))).at(-1), { type: 'error', message: publicWords.unreachable })
  t.equal(stubborn.exchanges.length, 2)
})

t.test('a tool the user chose in the composer is the one to use, once', async t => {
  const tools = [{ name: 'search', execute: () => 'found' }]
  const { events, exchanges } = await setUp(t, { tools }, calls('search', {}), says(['ok']), says(['ok']))
  await events(create('Go', { inference_options: { tool_choice: { id: 'search' } } }))
  await events(create('Go', { inference_options: { tool_choice: { id: 'unheard_of' } } }))
  t.strictSame(
    exchanges.map(({ body }) => body.tool_choice),
    [{ type: 'function', function: { name: 'search' } }, undefined, undefined]
  )
})

t.test('a client tool ends the turn with the model’s call, and its output begins the next', async t => {
  let runs = 0
  const { events, exchanges, items, json } = await setUp(
    t,
    {
      tools: [{ name: 'refund', execute: () => `refund ${++runs}` }],
      clientTools: [{ name: 'ask_page', parameters: z.object({ what: z.string() }) }]
    },
    calls('refund', {}, 'call_r'),
    calls('ask_page', { what: 'selection' }, 'call_page'),
    says(['You chose B'])
  )
  const told = await events(create('What did I choose?'))
  t.match(told.at(-1), {
    type: 'thread.item.done',
    item: {
      id: /^tc_[0-9a-f]{24}$/,
      type: 'client_tool_call',
      status: 'pending',
      call_id: 'call_page',
      name: 'ask_page',
      arguments: { what: 'selection' }
    }
  })
  const id = threadIdOf(told)
  const next = await events({
    type: 'threads.add_client_tool_output',
    params: { thread_id: id, result: { choice: 'B' } }
  })
  t.equal(textOf(next), 'You chose B')
  t.equal(runs, 1)
  t.strictSame(exchanges[2]?.body.messages, [
    {
      role: 'user',
      content:
        'What did I choose?\n\nFor you alone, not from the user and not shown to the user:\n<HiddenContext>\nTools used for this answer so far, and what they gave:\nrefund({}): refund 1\n</HiddenContext>'
    },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'call_page', type: 'function', function: { name: 'ask_page', arguments: '{"what":"selection"}' } }
      ]
    },
    { role: 'tool', tool_call_id: 'call_page', content: '{"choice":"B"}' }
  ])
  t.strictSame(
    (await items(id)).map(item => item.type),
    ['user_message', 'hidden_context_item', 'client_tool_call', 'assistant_message']
  )
  const { body } = await json({ type: 'items.list', params: { thread_id: id } })
  t.equal(body.data.length, 3, 'what tools gave is for the model alone')
})

t.test('of two client tools called at once the first is asked', async t => {
  const { events, problems } = await setUp(t, { clientTools: [{ name: 'a' }, { name: 'b' }] }, ({ delta, finish }) => {
    delta({ tool_calls: ['a', 'b'].map((name, index) => ({ index, id: name, function: { name, arguments: '' } })) })
    finish('tool_calls')
  })
  const told = await events(create('Go'))
  t.strictSame(kinds(told).slice(3), ['client_tool_call done'])
  t.match(told.at(-1), { item: { call_id: 'a', arguments: {} } })
  t.match(problems(), [{ level: 40, tool: 'b' }])
})

for (const [name, deltas] of [
  ['reasoning_content', [{ reasoning_content: 'Let me' }, { reasoning_content: ' think.' }, { content: 'Yes' }]],
  ['reasoning', [{ reasoning: 'Let me', content: '' }, { reasoning: ' think.' }, { content: 'Yes' }]],
  ['<think>', ['<th', 'ink>Let me', ' think.</', 'think>\n\n', 'Yes'].map(content => ({ content }))],
  [
    'parts',
    [
      { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Let me think.' }] }] },
      { content: [{ type: 'text', text: 'Yes' }] }
    ]
  ]
] as const)
  t.test(`what a model thinks is shown as a workflow, sent as ${name}`, async t => {
    const { events } = await setUp(t, {}, exchange => {
      for (const delta of deltas) exchange.delta(delta)
      exchange.finish()
    })
    const told = await events(create('Hm?'))
    t.strictSame(
      kinds(told)
        .slice(3)
        .filter(kind => kind !== 'updated'),
      [
        'workflow added',
        'added',
        'workflow done',
        'assistant_message added',
        'added',
        'text_delta',
        'done',
        'assistant_message done'
      ]
    )
    t.equal(textOf(told), 'Yes')
    t.match(
      told.find(event => event.type === 'thread.item.done' && event.item.type === 'workflow'),
      {
        item: {
          id: /^wf_/,
          workflow: {
            type: 'reasoning',
            tasks: [{ type: 'thought', content: 'Let me think.' }],
            summary: { duration: Number },
            expanded: false
          }
        }
      }
    )
  })

t.test('thoughts that go on after a tool stay in one list, and go back to a provider that wants them', async t => {
  const think =
    (thought: string, reply: Reply): Reply =>
    async exchange => {
      exchange.delta({ reasoning_content: thought })
      await reply(exchange)
    }
  const { events, exchanges } = await setUp(
    t,
    { tools: [{ name: 'look', execute: () => 'seen' }] },
    think('First.', calls('look', {})),
    think('Second.', says(['\n\n', 'Ok']))
  )
  const told = await events(create('Hm?'))
  const done = told.filter(event => event.type === 'thread.item.done' && event.item.type === 'workflow')
  t.match(done, [{ item: { workflow: { tasks: [{ content: 'First.' }, { content: 'Second.' }] } } }])
  t.match(exchanges[1]?.body.messages[1], { role: 'assistant', content: null, reasoning_content: 'First.' })
  t.equal(textOf(told), 'Ok', 'without the empty lines before it')
})

t.test('thoughts need not be shown', async t => {
  const { events } = await setUp(t, { reasoning: false }, ({ delta, finish }) => {
    delta({ reasoning: 'secret' })
    delta({ content: 'Yes' })
    finish()
  })
  t.notMatch(JSON.stringify(await events(create('Hm?'))), /secret|workflow/)
})

t.test('a long thought costs not its length squared', async t => {
  const { events } = await setUp(t, {}, async ({ delta, finish }) => {
    for (let word = 0; word < 3000; word++) delta({ reasoning: 'thinking ' })
    delta({ content: 'Yes' })
    finish()
  })
  const told = await events(create('Hm?'))
  t.ok(JSON.stringify(told).length < 27_000 * 45, `${JSON.stringify(told).length} bytes for 27,000`)
  t.match(
    told.find(event => event.type === 'thread.item.done' && event.item.type === 'workflow'),
    {
      item: { workflow: { tasks: [{ content: 'thinking '.repeat(3000) }] } }
    }
  )
})

t.test('references come with the text', async t => {
  const { events } = await setUp(t, {}, ({ delta, finish }) => {
    delta({ content: 'As they say' })
    delta({
      annotations: [{ type: 'url_citation', url_citation: { url: 'https://e.com/a', title: 'E', end_index: 7 } }]
    })
    finish()
  })
  t.match((await events(create('Hi'))).at(-1), {
    item: {
      content: [
        {
          text: 'As they say',
          annotations: [{ type: 'annotation', index: 7, source: { type: 'url', title: 'E', url: 'https://e.com/a' } }]
        }
      ]
    }
  })
})

t.test('a filter, an answer of nothing, and one too long are told apart', async t => {
  const { events, problems } = await setUp(
    t,
    { cutOff: 'There is no room for more.' },
    exchange => exchange.finish('content_filter'),
    exchange => exchange.finish(),
    exchange => {
      exchange.delta({ content: 'Very lo' })
      exchange.finish('length')
    }
  )
  t.match((await events(create('Hi'))).at(-1), { message: 'The assistant may not answer this.', allow_retry: false })
  t.match((await events(create('Hi'))).at(-1), { message: publicWords.unreachable, allow_retry: true })
  t.match((await events(create('Hi'))).slice(-2), [
    { item: { content: [{ text: 'Very lo' }] } },
    { type: 'notice', level: 'info', message: 'There is no room for more.' }
  ])
  t.match(problems(), [
    { reason: 'filtered' },
    { reason: 'answer', detail: 'The model said nothing' },
    { level: 40, msg: /cut off/ }
  ])
})

t.test('usage is asked for when somebody wants to know', async t => {
  const used: object[] = []
  const { events, exchanges } = await setUp(
    t,
    { onUsage: usage => void used.push(usage) },
    ({ delta, send, response }) => {
      delta({ content: 'Hi' })
      send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
      send({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 1 } })
      send('[DONE]')
      response.end()
    }
  )
  await events(create('Hi'))
  t.strictSame(used, [{ prompt_tokens: 9, completion_tokens: 1 }])
  t.strictSame(exchanges[0]?.body.stream_options, { include_usage: true })
})

t.test('a server that keeps its connection open after the end does not keep the reader', async t => {
  const { events } = await setUp(t, {}, ({ delta, send }) => {
    delta({ content: 'Done' })
    send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
    send('[DONE]')
  })
  const began = performance.now()
  t.match((await events(create('Hi'))).at(-1), { type: 'thread.item.done' })
  t.ok(performance.now() - began < 20_000, 'not as long as a silent model is waited for')
})

t.test('options that cannot be meant are an error at start-up', async t => {
  const good = { baseUrl: 'http://127.0.0.1:1/v1', model: 'fake' }
  const tool = { name: 'a', execute: () => '' }
  for (const options of [
    { ...good, baseUrl: '127.0.0.1:11434' },
    { ...good, baseUrl: '' },
    { ...good, model: '' },
    { ...good, maxSteps: 0 },
    { ...good, retries: -1 },
    { ...good, idleTimeoutMs: 0 },
    { ...good, tools: [{ ...tool, name: 'not a name' }] },
    { ...good, tools: [tool], clientTools: [{ name: 'a' }] }
  ])
    t.throws(() => chatCompletions(options), TypeError, JSON.stringify(options))
})

t.test('a server that only says it is alive has not begun to answer', async t => {
  const alive: Reply = async ({ raw, response }) => {
    for (let count = 0; count < 40 && !response.destroyed; count++) {
      raw(': loading\n\n')
      await wait(25)
    }
  }
  const { events, exchanges, problems } = await setUp(
    t,
    { firstTokenTimeoutMs: 120, idleTimeoutMs: 500, retries: 5 },
    alive,
    // Again and again: where this process stands still, those may be late as well.
    ...Array(5).fill(says(['Here', ' I am'], 150))
  )
  t.equal(textOf(await events(create('Hi'))), 'Here I am', 'it is asked again, and may take its time once it has begun')
  t.ok(exchanges[0]?.leftAt)
  t.ok(problems().length > 0)
  t.equal(exchanges.length, problems().length + 1)
  for (const problem of problems()) t.equal(problem.reason, 'timeout')
})

t.test('a whole answer has its time, however many steps it takes', async t => {
  const slow = { name: 'slow', execute: async () => await wait(600) }
  const { events, exchanges, problems } = await setUp(
    t,
    { tools: [slow], answerTimeoutMs: 1500 },
    calls('slow', {}),
    says(['Half of', ' it', ' all'], 600)
  )
  const told = await events(create('Hi'))
  t.match(told.at(-1), { type: 'error', allow_retry: true })
  t.match(textOf(told), /^Half of/, 'what was said by then is kept')
  t.match(problems(), [{ reason: 'timeout', detail: 'The answer was not complete within 1500 ms' }])
  await until(() => exchanges[1]?.leftAt !== null)
  t.throws(() => chatCompletions({ baseUrl: 'http://127.0.0.1', model: 'fake', answerTimeoutMs: 0 }), TypeError)
})

t.test('a message is annotated once it is whole', async t => {
  const annotate = (text: string) => [
    { source: { type: 'file' as const, title: 'One', filename: 'one.md' }, index: text.indexOf('[1]') }
  ]
  const { events } = await setUp(t, { annotate }, says(['So it ', 'is [1', '], they say.']))
  const told = await events(create('Hi'))
  t.strictSame(kinds(told).slice(-4), ['text_delta', 'annotation_added', 'done', 'assistant_message done'])
  t.match(told.at(-1), {
    item: { content: [{ annotations: [{ type: 'annotation', source: { filename: 'one.md' }, index: 9 }] }] }
  })
})

t.test(
  'what a provider quotes of the conversation is kept out of the log, and the advice is the application’s own',
  async t => {
    const secret = 'my password is "hunter2", by the way, since the spring of last year'
    const refuses =
      (message: string): Reply =>
      ({ json }) =>
        json(400, { error: { message, type: 'invalid_request_error' } })
    const { events, logged, problems } = await setUp(
      t,
      { cures: { request: 'Look at OPENAI_MODEL' } },
      refuses(`Cannot read: ${secret}`),
      refuses(`Cannot read ${JSON.stringify({ content: secret })}`),
      refuses(`Cannot read '${secret.slice(0, 40)}...`)
    )
    for (let count = 0; count < 3; count++)
      t.match((await events(create(secret))).at(-1), { type: 'error', message: /not available/, allow_retry: false })
    t.notMatch(JSON.stringify(logged), /hunter2|password/)
    t.match(problems(), [
      { msg: 'Look at OPENAI_MODEL', detail: 'Cannot read: …' },
      { detail: 'Cannot read {"content":"…"}' },
      { detail: "Cannot read '…" }
    ])
  }
)
