import { setTimeout as wait } from 'node:timers/promises'
import { type InputGuardrail, type OutputGuardrail, type RunContext, tool } from '@openai/agents'
import { ChatKitStreamError, progress, type StreamEvent, say, type UserMessageItem, userText } from 'fastify-chatkit'
import { type AgentContext, openaiAgents } from 'fastify-chatkit/openai-agents'
import { calls, readEvents, says } from 'fastify-chatkit/testing'
import t from 'tap'
import { z } from 'zod'
import { add, buildApp, create, kinds, threadIdOf } from '../../fixtures/build-app.ts'
import { until } from '../../fixtures/until.ts'
import { agentApp } from '../fixtures/agent-app.ts'
import { answerOf, type Reply, textOf } from '../fixtures/responder-app.ts'
import { message, responds, responseSays } from '../fixtures/responses-reply.ts'

const verdict = { tripwireTriggered: true, outputInfo: { why: 'secret reasons' } }
const noSwearing: OutputGuardrail = { name: 'no swearing', execute: async () => verdict }
const onTopic = (ms: number): InputGuardrail => ({
  name: 'on topic',
  execute: async () => {
    await wait(ms)
    return verdict
  }
})

for (const useResponses of [true, false])
  t.test(
    `what a guardrail of outputs forbids is taken away, ${useResponses ? 'in Responses' : 'in chat completions'}`,
    async t => {
      const note = tool({
        name: 'note',
        description: 'Notes',
        parameters: z.object({}),
        async execute(_, run?: RunContext<AgentContext>) {
          const context = run?.context
          await context?.stream(say(context.turn, ['A ', 'note']))
          context?.addTask({ type: 'custom', title: 'Work' })
          return 'ok'
        }
      })
      const first = useResponses
        ? responds(response => {
            response.call('note', {})
            return undefined
          })
        : calls('note', {})
      const second = (useResponses ? responseSays : says)(['Damn', ' it'])
      const last = (useResponses ? responseSays : says)(['Fine'])
      const { events, items, logged, problems } = await agentApp(
        t,
        { useResponses, agent: { tools: [note] }, guardrails: { output: [noSwearing] } },
        first,
        second,
        last
      )
      const told = await events(create('Hi'))
      const shown = told.flatMap(event =>
        event.type === 'thread.item.added' && event.item.type !== 'user_message' ? [event.item.id] : []
      )
      t.equal(shown.length, 3)
      t.match(
        told.slice(-4),
        [...shown.map(item_id => ({ type: 'thread.item.removed', item_id })), { type: 'error' }],
        'in the order in which it came'
      )
      t.strictSame(told.at(-1), { type: 'error', code: 'stream.error', allow_retry: true })
      const id = threadIdOf(told)
      t.strictSame(
        (await items(id)).map(item => item.type),
        ['user_message']
      )
      t.match(problems(), [{ level: 40, guardrail: 'no swearing', threadId: id, msg: /guardrail/ }])
      t.notMatch(JSON.stringify(logged), /Damn|secret reasons/)
    }
  )

t.test('a guardrail of inputs stops a reply in the middle, in words of the application’s own', async t => {
  const { events, items, exchanges } = await agentApp(
    t,
    { guardrails: { input: [onTopic(120)] }, guardrailMessage: 'I only know about parcels.' },
    responseSays(
      Array.from({ length: 40 }, (_, index) => `${index} `),
      20
    )
  )
  const told = await events(create('Stocks?'))
  t.match(textOf(told), /^0 /)
  t.match(told.slice(-2), [
    { type: 'thread.item.removed' },
    { type: 'error', code: 'custom', message: 'I only know about parcels.', allow_retry: true }
  ])
  t.equal((await items(threadIdOf(told))).length, 1)
  await until(() => exchanges[0]?.leftAt !== null)
  t.pass('the request to the model ends')
})

t.test('the guardrails of tools stop a run too', async t => {
  const { defineToolInputGuardrail, ToolGuardrailFunctionOutputFactory } = await import('@openai/agents')
  const strict = defineToolInputGuardrail({
    name: 'strict',
    run: async () => ToolGuardrailFunctionOutputFactory.throwException()
  })
  const pay = tool({
    name: 'pay',
    description: 'Pays',
    parameters: z.object({}),
    inputGuardrails: [strict],
    execute: () => 'paid'
  })
  const { events, problems } = await agentApp(
    t,
    { agent: { tools: [pay] } },
    responds(async response => {
      await response.message(['I pay'])
      response.call('pay', {})
      return undefined
    })
  )
  t.strictSame(kinds(answerOf(await events(create('Pay')))).slice(-2), ['thread.item.removed', 'error'])
  t.match(problems(), [{ guardrail: 'strict' }])
})

// The client of OpenAI's would otherwise try again, and wait before it does.
const noRetry = { 'x-should-retry': 'false' }
const refusal =
  (status: number, error: object, headers: Record<string, string> = {}): Reply =>
  exchange =>
    exchange.json(status, { error }, { ...noRetry, ...headers })

t.test(
  'what went wrong with the model is told to the reader in plain words, and to the operator with its cure',
  async t => {
    const cases = [
      {
        why: 'a wrong key',
        reply: refusal(401, { message: 'Incorrect API key provided: sk-secret', code: 'invalid_api_key' }),
        error: { message: /not available/, allow_retry: false },
        log: { reason: 'key', status: 401 }
      },
      {
        why: 'an unknown model',
        reply: refusal(404, { message: 'The model `fake` does not exist', code: 'model_not_found' }),
        error: { message: /not available/, allow_retry: false },
        log: { reason: 'model' }
      },
      {
        why: 'too many requests',
        reply: refusal(429, { message: 'Slow down', code: 'rate_limit_exceeded' }, { 'retry-after': '7' }),
        error: { message: /busy/, allow_retry: true },
        log: { reason: 'rate_limit', retryAfterMs: 7000 }
      },
      {
        why: 'a thread that is too long',
        reply: refusal(400, { message: 'Your input exceeds the context window', code: 'context_length_exceeded' }),
        error: { message: /too long/, allow_retry: false },
        log: { reason: 'context' }
      },
      {
        why: 'an outage',
        reply: refusal(503, { message: 'Overloaded' }),
        error: { message: /try again/, allow_retry: true },
        log: { reason: 'unavailable', status: 503 }
      }
    ]
    for (const useResponses of [true, false])
      for (const { why, reply, error, log } of cases)
        await t.test(`${why}, ${useResponses ? 'Responses' : 'chat completions'}`, async t => {
          const { events, logged, problems } = await agentApp(t, { useResponses }, reply)
          const told = await events(create('My secret question'))
          t.match(answerOf(told), [{ type: 'error', code: 'custom', ...error }])
          t.match(problems(), [{ ...log, threadId: threadIdOf(told), requestId: /./ }])
          t.notMatch(JSON.stringify(logged), /sk-secret|secret question/)
        })
  }
)

t.test('an application may say it in its own words', async t => {
  const { events } = await agentApp(
    t,
    { errorMessages: { unavailable: 'Gerade nicht.' } },
    refusal(503, { message: 'Overloaded' })
  )
  t.match(answerOf(await events(create('Hi'))), [{ type: 'error', message: 'Gerade nicht.' }])
})

t.test('a model server that is not there', async t => {
  const { events, problems } = await agentApp(t, { baseUrl: 'http://127.0.0.1:9/v1' })
  t.match(answerOf(await events(create('Hi'))), [{ type: 'error', message: /try again/, allow_retry: true }])
  t.match(problems(), [{ reason: 'unavailable' }])
})

t.test('an answer that breaks off is kept as far as it came', async t => {
  const begin = (write: (response: Parameters<Parameters<typeof responds>[0]>[0]) => void) =>
    responds(async (response, { response: socket }) => {
      const at = { ...response.add(message('msg_1', [], 'in_progress')), content_index: 0 }
      response.event('response.output_text.delta', { ...at, delta: 'Half an ans' })
      await wait(50)
      write(response)
      if (!socket.writableEnded) socket.destroy()
      return false
    })
  const cases: { why: string; reply: Reply; useResponses?: boolean; log: object }[] = [
    {
      why: 'the connection is cut',
      reply: begin(() => undefined),
      log: { reason: 'unavailable' }
    },
    {
      why: 'the response fails',
      reply: begin(response =>
        response.break('failed', { error: { code: 'rate_limit_exceeded', message: 'Too many tokens a minute' } })
      ),
      log: { reason: 'rate_limit', detail: /tokens a minute/ }
    },
    {
      why: 'an error comes instead',
      reply: begin(response => response.event('error', { code: 'server_error', message: 'Boom', param: null })),
      log: { reason: 'unavailable' }
    },
    {
      why: 'the content filter steps in',
      reply: begin(response => response.break('incomplete', { incomplete_details: { reason: 'content_filter' } })),
      log: { reason: 'filtered' }
    },
    {
      why: 'the connection is cut, in chat completions',
      useResponses: false,
      reply: async ({ delta, response }) => {
        delta({ role: 'assistant', content: 'Half an ans' })
        await wait(50)
        response.destroy()
      },
      log: { reason: 'unavailable' }
    }
  ]
  for (const { why, reply, useResponses = true, log } of cases)
    await t.test(why, async t => {
      const { events, items, problems } = await agentApp(t, { useResponses }, reply)
      const told = await events(create('Hi'))
      t.match(told.slice(-2), [
        { type: 'thread.item.done', item: { content: [{ text: 'Half an ans' }] } },
        { type: 'error', code: 'custom' }
      ])
      t.match((await items(threadIdOf(told))).at(-1), { content: [{ text: 'Half an ans' }] })
      t.match(problems(), [log])
      t.equal(problems().length, 1)
    })
})

t.test('an answer that is cut off for its length is an answer, and the log says so', async t => {
  const { events, problems } = await agentApp(
    t,
    {},
    responds(async response => {
      const at = { ...response.add(message('msg_1', [], 'in_progress')), content_index: 0 }
      response.event('response.output_text.delta', { ...at, delta: 'As long as it may b' })
      response.break('incomplete', { incomplete_details: { reason: 'max_output_tokens' } })
      return false
    })
  )
  const told = await events(create('Hi'))
  t.match(told.at(-1), { type: 'thread.item.done', item: { content: [{ text: 'As long as it may b' }] } })
  t.match(problems(), [{ level: 40, msg: /greatest length/ }])
})

t.test('a failure ends what the model thinks', async t => {
  const { events, items } = await agentApp(
    t,
    {},
    responds(async (response, { response: socket }) => {
      response.reasoning([['Hm']])
      await wait(50)
      socket.destroy()
      return false
    })
  )
  const told = await events(create('Hi'))
  t.match(answerOf(told).slice(-2), [{ type: 'thread.item.done', item: { type: 'workflow' } }, { type: 'error' }])
  t.equal((await items(threadIdOf(told))).length, 2)
})

t.test('a run that never ends is ended by the SDK, and that is told', async t => {
  const again = tool({ name: 'again', description: 'Again', parameters: z.object({}), execute: () => 'again' })
  const call = responds(response => {
    response.call('again', {})
    return undefined
  })
  const { events, problems } = await agentApp(t, { agent: { tools: [again] }, maxTurns: 2 }, call, call, call)
  t.match(answerOf(await events(create('Hi'))), [{ type: 'error', message: /try again/ }])
  t.match(problems(), [{ reason: 'answer', detail: /Max turns/ }])
})

t.test('what a tool throws is the model’s to know of; past that it is logged, without the conversation', async t => {
  const fail = (error: Error, errorFunction?: null) =>
    tool({
      name: 'fail',
      description: 'Fails',
      parameters: z.object({}),
      ...(errorFunction === null ? { errorFunction } : {}),
      execute() {
        throw error
      }
    })
  const call = responds(response => {
    response.call('fail', {})
    return undefined
  })
  await t.test('the model is told', async t => {
    const { events, exchanges, problems } = await agentApp(
      t,
      { agent: { tools: [fail(new Error('Boom'))] } },
      call,
      responseSays(['Sorry'])
    )
    t.equal(textOf(await events(create('Hi'))), 'Sorry')
    t.match(exchanges[1]?.body.input.at(-1), { type: 'function_call_output', output: /error/i })
    t.strictSame(problems(), [])
  })
  await t.test('an error that ends the run is logged', async t => {
    const { events, logged, problems } = await agentApp(t, { agent: { tools: [fail(new Error('Boom'), null)] } }, call)
    const told = answerOf(await events(create('My secret question')))
    t.strictSame(told, [{ type: 'error', code: 'stream.error', allow_retry: true }])
    t.match(problems(), [{ level: 50, err: { message: 'Boom' }, msg: 'A responder failed' }])
    t.notMatch(JSON.stringify(logged), /secret question/)
  })
  await t.test('an error for the reader is told to the reader', async t => {
    const error = new ChatKitStreamError({ message: 'Please sign in again.' })
    const { events, problems } = await agentApp(t, { agent: { tools: [fail(error, null)] } }, call)
    t.match(answerOf(await events(create('Hi'))), [{ type: 'error', message: 'Please sign in again.' }])
    t.strictSame(problems(), [])
  })
})

t.test('an error of the SDK’s own is logged without the state of the run', async t => {
  const file = { type: 'file' as const, url: 'https://files.example/a.pdf', mediaType: 'application/pdf' }
  const user_message = (item: UserMessageItem) => [
    userText(item.content.map(part => part.text).join('')),
    { type: 'user' as const, content: [file] }
  ]
  const { events, logged, problems } = await agentApp(t, { useResponses: false, input: { items: { user_message } } })
  const told = await events(create('My secret question'))
  t.strictSame(answerOf(told), [{ type: 'error', code: 'stream.error', allow_retry: true }])
  t.match(problems(), [{ level: 50, err: { message: /data URL/, stack: /UserError/ } }])
  t.notMatch(JSON.stringify(logged), /secret question/)
})

t.test('a tool that takes too long ends the run, and is logged without its state', async t => {
  const slow = tool({
    name: 'slow',
    description: 'Slow',
    parameters: z.object({}),
    timeoutMs: 20,
    timeoutBehavior: 'raise_exception',
    execute: async () => await wait(500, 'late', { ref: false })
  })
  const { events, logged, problems } = await agentApp(
    t,
    { agent: { tools: [slow] } },
    responds(response => {
      response.call('slow', {})
      return undefined
    })
  )
  t.match(answerOf(await events(create('My secret question'))), [{ type: 'error', code: 'stream.error' }])
  t.match(problems(), [{ level: 50, err: { message: /slow/, stack: /ToolTimeoutError/ } }])
  t.notMatch(JSON.stringify(logged), /secret question/)
})

t.test('a tool the agent does not have', async t => {
  const { events, logged, problems } = await agentApp(
    t,
    {},
    responds(response => {
      response.call('unknown', {})
      return undefined
    })
  )
  t.match(answerOf(await events(create('My secret question'))), [{ type: 'error', message: /try again/ }])
  t.match(problems(), [{ reason: 'answer', detail: /unknown/ }])
  t.notMatch(JSON.stringify(logged), /secret question/)
})

t.test('a run that is not streamed is a mistake that says its cure', async t => {
  const respond = openaiAgents(
    () => ({ interruptions: [] }) as unknown as ReturnType<Parameters<typeof openaiAgents>[0]>
  )
  const { events, logged } = await buildApp(t, { respond })
  t.match((await events(create('Hi'))).at(-1), { type: 'error', code: 'stream.error' })
  t.match(
    logged.filter(line => Number(line.level) === 50),
    [{ err: { message: /stream: true/ } }]
  )
})

t.test('a reader who leaves in the middle of a tool is not waited for', async t => {
  let aborted = false
  const slow = tool({
    name: 'slow',
    description: 'Slow',
    parameters: z.object({}),
    async execute(_, run?: RunContext<AgentContext>) {
      run?.context.stream(progress('Slow'))
      await wait(5000, undefined, { signal: run?.context.signal }).catch(() => {
        aborted = true
      })
      run?.context.stream(progress('Nobody sees this'))
      return 'ok'
    }
  })
  const { post, exchanges, events, problems } = await agentApp(
    t,
    { agent: { tools: [slow] } },
    responds(async response => {
      await response.message(['One moment'])
      response.call('slow', {})
      return undefined
    }),
    responseSays(['Back again'])
  )
  const controller = new AbortController()
  const seen: StreamEvent[] = []
  for await (const event of readEvents(await post(create('Hi'), { signal: controller.signal }))) {
    seen.push(event)
    if (event.type === 'progress_update') break
  }
  controller.abort()
  await until(() => aborted)
  await wait(50)
  t.equal(exchanges.length, 1, 'the model is not asked again')
  t.equal(textOf(await events(add(threadIdOf(seen), 'Still there?'))), 'Back again')
  t.strictSame(problems(), [])
})
