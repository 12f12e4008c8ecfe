import { setTimeout as wait } from 'node:timers/promises'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { stepCountIs, streamText, type ToolSet, tool } from 'ai'
import { MockLanguageModelV3, simulateReadableStream } from 'ai/test'
import { postgresThreadStore, type StreamEvent, type ThreadItem, type Turn, toModelInput } from 'fastify-chatkit'
import { type AiSdkOptions, aiSdk, aiSdkMessages, fromAiSdk } from 'fastify-chatkit/ai-sdk'
import { calls, memoryThreadStore, modelServer, readEvents, says } from 'fastify-chatkit/testing'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { add, buildApp, create, type Json, kinds, threadIdOf } from '../fixtures/build-app.ts'
import { migratedDatabase } from '../fixtures/database.ts'
import { until } from '../fixtures/until.ts'
import { type Reply, responderApp, textOf } from './fixtures/responder-app.ts'

const quiet = { onError: () => undefined, maxRetries: 0 }

type Options = AiSdkOptions & { tools?: ToolSet; apiKey?: string; store?: ReturnType<typeof memoryThreadStore> }

/** A model that replies so, the AI SDK in front of it, and an app that asks that. */
function setUp(t: Test, { tools, apiKey = 'sk-secret', store, ...options }: Options, ...replies: Reply[]) {
  const respond = (baseURL: string) => {
    const provider = createOpenAICompatible({ name: 'fake', baseURL, apiKey })
    return aiSdk((turn, messages) => {
      const model = provider('fake')
      return streamText({
        ...quiet,
        model,
        messages,
        ...(tools ? { tools } : {}),
        stopWhen: stepCountIs(5),
        abortSignal: turn.signal
      })
    }, options)
  }
  return responderApp(t, { respond, ...(store ? { store } : {}) }, ...replies)
}

const weather = tool({
  description: 'Weather of a city',
  inputSchema: z.object({ city: z.string() }),
  execute: ({ city }) => ({ city, degrees: 7 })
})

t.test('text is shown as it comes: each piece before the model says the next', async t => {
  let heard = 0
  const { post } = await setUp(
    t,
    {},
    says(['Grüße', ' two', ' 👩‍👩‍👧'], said => until(() => heard === said))
  )
  const seen: StreamEvent[] = []
  for await (const event of readEvents(await post(create('Count')))) {
    if (event.type === 'thread.item.updated' && event.update.type.endsWith('text_delta')) heard++
    seen.push(event)
  }
  t.strictSame(kinds(seen).slice(3), [
    'assistant_message added',
    'added',
    'text_delta',
    'text_delta',
    'text_delta',
    'done',
    'assistant_message done'
  ])
  t.equal(textOf(seen), 'Grüße two 👩‍👩‍👧')
})

t.test('a character cut in two by the network arrives whole', async t => {
  const whole = 'Ä – 👩‍👩‍👧 ✓'
  const { events } = await setUp(t, {}, async ({ raw, delta, finish }) => {
    delta({ role: 'assistant', content: '' })
    const event = { choices: [{ index: 0, delta: { content: whole }, finish_reason: null }] }
    for (const byte of Buffer.from(`data: ${JSON.stringify(event)}\n\n`)) {
      raw(Buffer.from([byte]))
      await wait(2)
    }
    finish()
  })
  t.equal(textOf(await events(create('Hi'))), whole)
})

t.test('trap 18: the SDK gives the text of every step the same id, and ours are new each time', async t => {
  const { events, exchanges } = await setUp(
    t,
    { tools: { weather } },
    async exchange => {
      exchange.delta({ content: 'Let me see.' })
      calls('weather', { city: 'Zürich' })(exchange)
    },
    says(['7 degrees']),
    says(['Bye'])
  )
  const told = await events(create('How is it outside?'))
  t.strictSame(kinds(told).slice(3), [
    'assistant_message added',
    'added',
    'text_delta',
    'done',
    'assistant_message done',
    'assistant_message added',
    'added',
    'text_delta',
    'done',
    'assistant_message done'
  ])
  const more = await events(add(threadIdOf(told), 'Thanks'))
  const ids = [...told, ...more].flatMap(event =>
    event.type === 'thread.item.done' && event.item.type === 'assistant_message' ? [event.item.id] : []
  )
  t.equal(new Set(ids).size, 3)
  for (const id of ids) t.match(id, /^msg_[0-9a-f]{24}$/)
  t.match(exchanges[1]?.body.messages.at(-1), { role: 'tool', content: '{"city":"Zürich","degrees":7}' })
  t.strictSame(
    exchanges[2]?.body.messages.map((message: { role: string }) => message.role),
    ['user', 'assistant', 'user']
  )
})

for (const [name, makeStore] of [
  ['in memory', async () => memoryThreadStore()],
  ['in Postgres', async () => postgresThreadStore(await migratedDatabase(t))]
] as const)
  t.test(
    `a reader who leaves ends the request to the model, and a quiet end is no complete reply, ${name}`,
    async t => {
      const store = await makeStore()
      // After the last piece but one it is silent, so that nothing but the reader's leaving can end it.
      const reply = says(['0 ', '1 ', '2 ', '3 ', '4 '], said => (said < 4 ? wait(10) : new Promise(() => {})))
      const { post, exchanges, items, problems } = await setUp(t, { store }, reply)
      const controller = new AbortController()
      const seen: StreamEvent[] = []
      for await (const event of readEvents(await post(create('Count'), { signal: controller.signal }))) {
        seen.push(event)
        if (textOf(seen).includes('3')) break
      }
      controller.abort()
      await until(() => exchanges[0]?.leftAt !== null)
      const id = threadIdOf(seen)
      await until(async () => (await items(id)).length === 3)
      t.match(await items(id), [
        { type: 'user_message' },
        { type: 'assistant_message', content: [{ text: '0 1 2 3 ' }] },
        { type: 'sdk_hidden_context' }
      ])
      t.strictSame(problems(), [])
    }
  )

t.test('an abort by the turn is that, even where the stream just ends', async t => {
  const controller = new AbortController()
  const turn = { signal: controller.signal, newItemId: () => 'msg_1' } as unknown as Turn
  const seen: string[] = []
  const parts = (async function* () {
    yield { type: 'text-delta', id: '0', text: 'Half' }
    controller.abort('left')
  })()
  let thrown: unknown
  try {
    for await (const event of fromAiSdk(turn, parts)) seen.push(event.type)
  } catch (error) {
    thrown = error
  }
  t.equal(thrown, 'left')
  t.notOk(seen.includes('thread.item.done'))
})

t.test('what goes wrong at the provider is told in words for the reader, and in the log for the operator', async t => {
  const openai = (code: string, message: string) => ({ error: { message, type: 'invalid_request_error', code } })
  const cases = [
    {
      why: 'a wrong key',
      status: 401,
      body: openai('invalid_api_key', 'Incorrect API key provided: sk-se***et'),
      reason: 'key',
      told: /not available/
    },
    {
      why: 'an unknown model',
      status: 404,
      body: openai('model_not_found', 'The model `fake` does not exist'),
      reason: 'model',
      told: /not available/
    },
    {
      why: 'too many requests',
      status: 429,
      body: openai('rate_limit_exceeded', 'Rate limit reached'),
      reason: 'rate_limit',
      told: /very busy/
    },
    {
      why: 'too long',
      status: 400,
      body: openai('context_length_exceeded', 'maximum context length is 8192 tokens'),
      reason: 'context',
      told: /too long/
    },
    { why: 'a failure of its own', status: 503, body: {}, reason: 'unavailable', told: /try again/ }
  ]
  for (const { why, status, body, reason, told } of cases)
    await t.test(why, async t => {
      const { events, problems, logged } = await setUp(t, {}, ({ json }) => json(status, body))
      const all = await events(create('My secret question'))
      t.match(all.at(-1), { type: 'error', code: 'custom', message: told })
      t.match(problems(), [{ level: 50, reason, status, threadId: threadIdOf(all) }])
      t.notMatch(
        JSON.stringify(logged),
        /sk-se|My secret question/,
        'neither the key nor the conversation is in the log'
      )
    })
})

t.test('retries of the SDK end in its last error', async t => {
  const { baseUrl } = await modelServer(
    t,
    ...Array(2).fill(({ json }: Parameters<Reply>[0]) => json(429, {}, { 'retry-after-ms': '1' }))
  )
  const provider = createOpenAICompatible({ name: 'fake', baseURL: baseUrl })
  const respond = aiSdk(
    (turn, messages) =>
      streamText({ ...quiet, maxRetries: 1, model: provider('fake'), messages, abortSignal: turn.signal }),
    { errorMessages: { rate_limit: 'Gerade ist viel los.' } }
  )
  const { events, logged } = await buildApp(t, { respond })
  t.match((await events(create('Hi'))).at(-1), { message: 'Gerade ist viel los.', allow_retry: true })
  t.match(
    logged.filter(line => Number(line.level) >= 40),
    [{ reason: 'rate_limit', status: 429 }]
  )
})

t.test('an error in the middle of a stream keeps what was said', async t => {
  const { events, problems } = await setUp(
    t,
    {},
    ({ delta, send, response }) => {
      delta({ content: 'Half' })
      send({ error: { message: 'upstream died', code: 502 } })
      response.end()
    },
    async ({ delta, response }) => {
      delta({ content: 'Half' })
      setTimeout(() => response.destroy(), 50)
    }
  )
  for (const why of ['an error object', 'a broken connection'])
    t.match(
      (await events(create('Hi'))).slice(-2),
      [
        { type: 'thread.item.done', item: { content: [{ text: 'Half' }] } },
        { type: 'error', message: /try again/, allow_retry: true }
      ],
      why
    )
  t.match(problems(), [{ reason: 'unavailable', detail: /upstream died/ }, { reason: 'unavailable' }])
})

t.test('a server that cannot be reached is the operator’s to mend', async t => {
  const provider = createOpenAICompatible({ name: 'fake', baseURL: 'http://127.0.0.1:1/v1' })
  const { events, logged } = await buildApp(t, {
    respond: aiSdk((turn, messages) =>
      streamText({ ...quiet, model: provider('fake'), messages, abortSignal: turn.signal })
    )
  })
  t.match((await events(create('Hi'))).at(-1), { message: /try again/ })
  t.match(
    logged.filter(line => Number(line.level) >= 40),
    [{ reason: 'unavailable' }]
  )
})

t.test('a tool without execute is the page’s: its call ends the turn, its output begins the next', async t => {
  let runs = 0
  const tools = {
    refund: tool({ inputSchema: z.object({}), execute: () => `refund ${++runs}` }),
    ask_page: tool({ inputSchema: z.object({ what: z.string() }) })
  }
  const { events, exchanges, items } = await setUp(
    t,
    { tools },
    calls('refund', {}, 'call_r'),
    calls('ask_page', { what: 'selection' }, 'call_page'),
    says(['You chose B'])
  )
  const told = await events(create('What did I choose?'))
  t.match(told.at(-1), {
    type: 'thread.item.done',
    item: {
      id: /^tc_/,
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
  t.match(exchanges[2]?.body.messages, [
    { role: 'user', content: [{ text: 'What did I choose?' }, { text: /refund\(\{\}\): "refund 1"/ }] },
    {
      role: 'assistant',
      tool_calls: [{ id: 'call_page', function: { name: 'ask_page', arguments: '{"what":"selection"}' } }]
    },
    { role: 'tool', tool_call_id: 'call_page', content: '{"choice":"B"}' }
  ])
  t.strictSame(
    (await items(id)).map(item => item.type),
    ['user_message', 'hidden_context_item', 'client_tool_call', 'assistant_message']
  )
})

t.test('a tool that fails is told to the model, and a call that cannot be read is none of the page’s', async t => {
  const failing = tool({
    inputSchema: z.object({ city: z.string() }),
    execute: (): string => {
      throw new Error('no weather today')
    }
  })
  const page = tool({ inputSchema: z.object({ what: z.string() }) })
  const { events, exchanges, problems } = await setUp(
    t,
    { tools: { failing, page } },
    calls('failing', { city: 'Zürich' }),
    calls('page', { what: 7 }),
    says(['Sorry'])
  )
  const told = await events(create('Go'))
  t.equal(textOf(told), 'Sorry')
  t.notOk(kinds(told).includes('client_tool_call done'))
  t.match(exchanges[1]?.body.messages.at(-1), { role: 'tool', content: /no weather today/ })
  t.match(problems()[0], { level: 40, tool: 'failing', err: { message: 'no weather today' } })
})

t.test('what a model thinks is shown as a workflow, unless it is not to be', async t => {
  const thinks: Reply = ({ delta, finish }) => {
    delta({ reasoning_content: 'Let me' })
    delta({ reasoning_content: ' think.' })
    delta({ content: 'Yes' })
    finish()
  }
  const { events } = await setUp(t, {}, thinks)
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
  t.match(
    told.find(event => event.type === 'thread.item.done' && event.item.type === 'workflow'),
    {
      item: {
        workflow: {
          type: 'reasoning',
          tasks: [{ type: 'thought', content: 'Let me think.' }],
          summary: { duration: Number }
        }
      }
    }
  )
  const silent = await setUp(t, { reasoning: false }, thinks)
  t.notMatch(JSON.stringify(await silent.events(create('Hm?'))), /think|workflow/)
})

type Chunks = Parameters<
  typeof simulateReadableStream<
    Awaited<ReturnType<MockLanguageModelV3['doStream']>>['stream'] extends ReadableStream<infer Part> ? Part : never
  >
>[0]['chunks']

/** An app that asks the SDK with a model of its own test kit: for parts which the chat completions protocol does not have. */
async function withParts(t: Test, chunks: Chunks, options: AiSdkOptions = {}) {
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 }
  }
  const finish = { type: 'finish' as const, finishReason: { unified: 'stop' as const, raw: 'stop' }, usage }
  const model = new MockLanguageModelV3({
    doStream: async () => ({ stream: simulateReadableStream({ chunks: [...chunks, finish] }) })
  })
  const client = await buildApp(t, {
    respond: aiSdk((turn, messages) => streamText({ ...quiet, model, messages, abortSignal: turn.signal }), options)
  })
  return { ...client, problems: () => client.logged.filter(line => Number(line.level) >= 40) }
}

t.test('sources are references of the text they come with, before it, in it or after it, each once', async t => {
  const url = { type: 'source', sourceType: 'url', id: 's', url: 'https://e.com/a', title: 'E' } as const
  const file = {
    type: 'source',
    sourceType: 'document',
    id: 'd',
    mediaType: 'application/pdf',
    title: 'Manual',
    filename: 'm.pdf'
  } as const
  const { events } = await withParts(t, [
    url,
    { type: 'text-start', id: '0' },
    { type: 'text-delta', id: '0', delta: 'As they' },
    file,
    { type: 'text-delta', id: '0', delta: ' say' },
    { type: 'text-end', id: '0' },
    url,
    { ...url, url: 'https://e.com/b', title: undefined } as unknown as typeof url
  ])
  const told = await events(create('Hi'))
  const annotations = [
    { type: 'annotation', source: { type: 'file', filename: 'm.pdf', title: 'Manual' } },
    { type: 'annotation', source: { type: 'url', url: 'https://e.com/b', title: 'https://e.com/b' } },
    { type: 'annotation', source: { type: 'url', url: 'https://e.com/a', title: 'E' } }
  ]
  t.strictSame(
    told.flatMap(event =>
      event.type === 'thread.item.updated' && 'annotation' in event.update
        ? [[event.update.annotation_index, event.update.annotation]]
        : []
    ),
    [...annotations.entries()].map(entry => [...entry])
  )
  t.match(told.at(-1), { item: { content: [{ text: 'As they say', annotations }] } })
})

t.test('a picture is an item, under the URL the app gives it', async t => {
  const picture = { type: 'file', mediaType: 'image/png', data: 'iVBORw0KGgo=' } as const
  const plain = await withParts(t, [picture])
  t.match((await plain.events(create('Draw'))).at(-1), {
    type: 'thread.item.done',
    item: { type: 'generated_image', image: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
  })
  const kept = await withParts(t, [picture], { imageUrl: async file => `https://x/${file.mediaType}` })
  t.match((await kept.events(create('Draw'))).at(-1), { item: { image: { url: 'https://x/image/png' } } })
})

t.test('a tool the provider runs itself is none of the page’s', async t => {
  const call = { toolCallId: 'c', toolName: 'web_search', input: '{}', providerExecuted: true, dynamic: true } as const
  const { events } = await withParts(t, [
    { type: 'tool-call', ...call },
    { type: 'text-start', id: '0' },
    { type: 'text-delta', id: '0', delta: 'Found' },
    { type: 'text-end', id: '0' }
  ])
  t.equal(kinds(await events(create('Search'))).at(-1), 'assistant_message done')
})

t.test('an answer of nothing is an error, one without text after a tool a warning', async t => {
  const { events, problems } = await withParts(t, [])
  t.match((await events(create('Hi'))).at(-1), { type: 'error', allow_retry: true })
  t.match(problems(), [{ reason: 'answer', detail: 'The model said nothing' }])
  const once = await modelServer(t, calls('weather', { city: 'Zürich' }))
  const provider = createOpenAICompatible({ name: 'fake', baseURL: once.baseUrl })
  const respond = aiSdk((turn, messages) =>
    streamText({ ...quiet, model: provider('fake'), messages, tools: { weather }, abortSignal: turn.signal })
  )
  const client = await buildApp(t, { respond })
  t.equal((await client.events(create('Hi'))).at(-1)?.type, 'stream_options')
  t.match(
    client.logged.filter(line => Number(line.level) >= 40),
    [{ level: 40, msg: /stopWhen/ }]
  )
})

t.test('messages go to the SDK with pictures, calls and outputs', async t => {
  const item = (draft: object) =>
    ({ id: 'i', thread_id: 't', created_at: '2026-01-02T03:04:05Z', ...draft }) as ThreadItem
  const input = await toModelInput(
    [
      item({
        type: 'user_message',
        content: [{ type: 'input_text', text: 'What is this?' }],
        attachments: [{ id: 'a' }, { id: 'b' }],
        inference_options: {}
      }),
      item({ type: 'sdk_hidden_context', content: 'note' }),
      item({ type: 'assistant_message', content: [{ type: 'output_text', text: 'Let me look', annotations: [] }] }),
      item({ type: 'client_tool_call', status: 'completed', call_id: 'c', name: 'zoom', arguments: {} })
    ],
    {
      attachment: ({ id }) =>
        id === 'a'
          ? { type: 'image', url: 'data:image/png;base64,iVBORw0KGgo=' }
          : { type: 'file', url: 'https://x/b.pdf', mediaType: 'application/pdf', filename: 'b.pdf' }
    }
  )
  t.match(aiSdkMessages(input), [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'file', mediaType: 'image/*' },
        { type: 'file', mediaType: 'application/pdf', filename: 'b.pdf' },
        { type: 'text', text: /note/ }
      ]
    },
    {
      role: 'assistant',
      content: [{ type: 'text' }, { type: 'tool-call', toolCallId: 'c', toolName: 'zoom', input: {} }]
    },
    {
      role: 'tool',
      content: [{ type: 'tool-result', toolCallId: 'c', toolName: 'zoom', output: { type: 'json', value: null } }]
    }
  ])
  const { baseUrl, exchanges } = await modelServer<Json>(t, says(['ok']))
  const provider = createOpenAICompatible({ name: 'fake', baseURL: baseUrl })
  const image = input.map(message =>
    message.type === 'user' ? { ...message, content: message.content.filter(part => part.type !== 'file') } : message
  )
  await streamText({ ...quiet, model: provider('fake'), messages: aiSdkMessages(image) }).consumeStream()
  t.match(exchanges[0]?.body.messages[0].content[1], {
    type: 'image_url',
    image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' }
  })
})
