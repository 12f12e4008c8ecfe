import { Agent, type ModelProvider, type RunContext, tool } from '@openai/agents'
import type { StreamEvent } from 'fastify-chatkit'
import { type AgentContext, clientTool } from 'fastify-chatkit/openai-agents'
import { calls, modelServer, says } from 'fastify-chatkit/testing'
import t from 'tap'
import { z } from 'zod'
import { add, create, kinds, threadIdOf } from '../../fixtures/build-app.ts'
import { agentApp } from '../fixtures/agent-app.ts'
import { answerOf } from '../fixtures/responder-app.ts'
import { responds, responseSays } from '../fixtures/responses-reply.ts'

const getCart = clientTool({
  name: 'get_cart',
  description: 'Gets the cart',
  parameters: z.object({ full: z.boolean() })
})
const stock = tool({
  name: 'stock',
  description: 'Looks into the stock',
  parameters: z.object({ id: z.string() }),
  execute: ({ id }) => ({ id, left: 3 })
})

const output = (thread_id: string, result: unknown) => ({
  type: 'threads.add_client_tool_output',
  params: { thread_id, result }
})
const callIn = (events: StreamEvent[]) => {
  const last = events.at(-1)
  return last?.type === 'thread.item.done' ? last.item : last
}

for (const useResponses of [true, false])
  t.test(
    `a client tool ends the turn, and its output begins the next, ${useResponses ? 'in Responses' : 'in chat completions'}`,
    async t => {
      const first = useResponses
        ? responds(async response => {
            await response.message(['One moment'])
            response.call('get_cart', { full: true }, 'call_77')
            return undefined
          })
        : calls('get_cart', { full: true }, 'call_77')
      const last = (useResponses ? responseSays : says)(['Three pears'])
      const { events, exchanges, items, problems } = await agentApp(
        t,
        { useResponses, agent: { tools: [getCart] } },
        first,
        last
      )
      const told = await events(create('My cart?'))
      const call = callIn(told)
      t.match(call, {
        type: 'client_tool_call',
        id: /^tc_[0-9a-f]{24}$/,
        call_id: 'call_77',
        name: 'get_cart',
        arguments: { full: true },
        status: 'pending'
      })
      const id = threadIdOf(told)
      const answer = await events(output(id, { pears: 3 }))
      t.equal(kinds(answer).at(-1), 'assistant_message done')
      const asked = exchanges[1]?.body
      if (useResponses)
        t.match(asked.input, [
          { role: 'user', content: 'My cart?' },
          { role: 'assistant', content: [{ type: 'output_text', text: 'One moment' }] },
          { type: 'function_call', call_id: 'call_77', name: 'get_cart', arguments: '{"full":true}' },
          { type: 'function_call_output', call_id: 'call_77', output: '{"pears":3}' }
        ])
      else
        t.match(asked.messages, [
          { role: 'user' },
          { role: 'assistant', tool_calls: [{ id: 'call_77', function: { name: 'get_cart' } }] },
          { role: 'tool', tool_call_id: 'call_77', content: '{"pears":3}' }
        ])
      t.equal((await items(id)).filter(item => item.type === 'client_tool_call').length, 1)
      t.strictSame(problems(), [])
    }
  )

t.test('other tools of the same step run, and what they gave is noted for the next turn', async t => {
  const { events, exchanges, items } = await agentApp(
    t,
    { agent: { tools: [getCart, stock] } },
    responds(response => {
      response.call('stock', { id: 'pear' }, 'call_1')
      response.call('get_cart', { full: false }, 'call_2')
      return undefined
    }),
    responseSays(['Enough'])
  )
  const told = await events(create('Enough pears?'))
  t.match(callIn(told), { type: 'client_tool_call', call_id: 'call_2' })
  const note = (await items(threadIdOf(told))).find(item => item.type === 'hidden_context_item')
  t.match(note, { content: /\nstock\(\{"id":"pear"\}\): \{"id":"pear","left":3\}$/ })
  await events(output(threadIdOf(told), 'one'))
  t.match(JSON.stringify(exchanges[1]?.body), /stock\(/)
})

t.test('one client tool at a time: a second call is dropped', async t => {
  const { events, problems } = await agentApp(
    t,
    { agent: { tools: [getCart] } },
    responds(response => {
      response.call('get_cart', { full: true }, 'call_1')
      response.call('get_cart', { full: false }, 'call_2')
      return undefined
    })
  )
  const told = await events(create('Hi'))
  t.strictSame(kinds(answerOf(told)), ['client_tool_call done'])
  t.match(callIn(told), { call_id: 'call_1' })
  t.match(problems(), [{ msg: /second call is dropped/, tool: 'get_cart' }])
})

t.test('wrong arguments go back to the model, not to the page', async t => {
  const { events, exchanges } = await agentApp(
    t,
    { agent: { tools: [getCart] } },
    responds(response => {
      response.call('get_cart', { full: 'very' })
      return undefined
    }),
    responseSays(['I cannot'])
  )
  const told = await events(create('Hi'))
  t.equal(kinds(told).at(-1), 'assistant_message done')
  t.equal(told.filter(event => 'item' in event && event.item.type === 'client_tool_call').length, 0)
  t.match(exchanges[1]?.body.input.at(-1), { type: 'function_call_output', call_id: 'call_1' })
})

t.test('arguments that are no JSON end the turn, and the reader may try again', async t => {
  const { events, problems } = await agentApp(
    t,
    { agent: { tools: [getCart] } },
    responds(response => {
      response.call('get_cart', '{"full":')
      return undefined
    })
  )
  const told = answerOf(await events(create('Hi')))
  t.match(told, [{ type: 'error', message: /try again/, allow_retry: true }])
  t.match(problems(), [{ reason: 'answer', detail: /get_cart/ }])
})

t.test('a client tool of an agent behind another one ends the turn too', async t => {
  const inner = new Agent<AgentContext>({ name: 'Shop', model: 'fake', tools: [getCart] })
  const ways = [
    {
      why: 'handed off to',
      agent: () => ({ handoffs: [inner] }),
      first: responds(response => {
        response.call('transfer_to_Shop', {})
        return undefined
      })
    },
    {
      why: 'used as a tool',
      agent: (modelProvider: ModelProvider) => {
        const runConfig = { modelProvider, tracingDisabled: true }
        return { tools: [inner.asTool({ toolName: 'ask_shop', toolDescription: 'Asks the shop', runConfig })] }
      },
      first: responds(response => {
        response.call('ask_shop', { input: 'cart' })
        return undefined
      })
    }
  ]
  for (const { why, agent, first } of ways)
    await t.test(why, async t => {
      const second = responds(response => {
        response.call('get_cart', { full: true }, 'call_5')
        return undefined
      })
      const { events, exchanges, problems } = await agentApp(t, { agent }, first, second)
      t.match(callIn(await events(create('Hi'))), { type: 'client_tool_call', call_id: 'call_5' })
      t.equal(exchanges.length, 2)
      t.strictSame(problems(), [])
    })
})

t.test('a tool may call the page itself, and the agent stops there', async t => {
  const reorder = tool({
    name: 'reorder',
    description: 'Orders again',
    parameters: z.object({ id: z.string() }),
    execute({ id }, run?: RunContext<AgentContext>) {
      run?.context.callClientTool({ name: 'open_order', arguments: { id, again: true } })
      return 'shown'
    }
  })
  const { events, exchanges } = await agentApp(
    t,
    { agent: { tools: [reorder], toolUseBehavior: { stopAtToolNames: ['reorder'] } } },
    responds(response => {
      response.call('reorder', { id: '7' }, 'call_9')
      return undefined
    })
  )
  const told = await events(create('Again'))
  t.strictSame(kinds(answerOf(told)), ['client_tool_call done'])
  t.match(callIn(told), { call_id: 'call_9', name: 'open_order', arguments: { id: '7', again: true } })
  t.equal(exchanges.length, 1)
})

t.test('a call that nobody answers is not told to the model, and the next turn is as any other', async t => {
  const { events, exchanges } = await agentApp(
    t,
    { agent: { tools: [getCart] } },
    responds(response => {
      response.call('get_cart', { full: true })
      return undefined
    }),
    responseSays(['Fine'])
  )
  const id = threadIdOf(await events(create('My cart?')))
  t.equal(kinds(await events(add(id, 'Never mind'))).at(-1), 'assistant_message done')
  t.notMatch(JSON.stringify(exchanges[1]?.body.input), /function_call/)
})

t.test('a tool that waits for an approval ends the run, and the log says so', async t => {
  const pay = tool({
    name: 'pay',
    description: 'Pays',
    parameters: z.object({}),
    needsApproval: true,
    execute: () => 'paid'
  })
  const { events, problems } = await agentApp(
    t,
    { agent: { tools: [pay] } },
    responds(response => {
      response.call('pay', {})
      return undefined
    })
  )
  t.strictSame(kinds(answerOf(await events(create('Pay')))), [])
  t.match(problems(), [{ tool: 'pay', msg: /approval/ }, { msg: /nothing to show/ }])
})

t.test('a client tool says what it needs', async t => {
  const { Runner, OpenAIProvider } = await import('@openai/agents')
  const { baseUrl } = await modelServer(
    t,
    responds(response => {
      response.call('get_cart', { full: true })
      return undefined
    })
  )
  const runner = new Runner({
    modelProvider: new OpenAIProvider({ apiKey: 'k', baseURL: baseUrl, useResponses: true })
  })
  const agent = new Agent({ name: 'Shop', model: 'fake', tools: [getCart] })
  await t.rejects(runner.run(agent, 'Hi'), { message: /made by agentContext/ })
})
