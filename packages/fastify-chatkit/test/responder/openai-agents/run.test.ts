import { Agent, type Model, OpenAIProvider, Runner } from '@openai/agents'
import type { ModelMessage } from 'fastify-chatkit'
import * as openaiAgentsModule from 'fastify-chatkit/openai-agents'
import { agentContext, agentInput, fromAgentRun } from 'fastify-chatkit/openai-agents'
import { modelServer, says } from 'fastify-chatkit/testing'
import t from 'tap'
import { add, buildApp, create, type Json, kinds, threadIdOf } from '../../fixtures/build-app.ts'
import { agentApp } from '../fixtures/agent-app.ts'
import { answerOf, textOf } from '../fixtures/responder-app.ts'
import { responseSays } from '../fixtures/responses-reply.ts'

t.test('fastify-chatkit/openai-agents exports these names', async t => {
  t.strictSame(Object.keys(openaiAgentsModule).toSorted(), [
    'agentContext',
    'agentInput',
    'clientTool',
    'fromAgentRun',
    'openaiAgents'
  ])
})

for (const useResponses of [true, false])
  t.test(
    `an agent is told its instructions and the thread, ${useResponses ? 'in Responses' : 'in chat completions'}`,
    async t => {
      const reply = useResponses ? responseSays : says
      const { events, exchanges } = await agentApp(
        t,
        { useResponses, agent: { instructions: run => `You help ${run.context.turn.owner}.` } },
        reply(['Hello Ada']),
        reply(['Bye'])
      )
      const id = threadIdOf(await events(create('Hi')))
      await events(add(id, 'Bye', { quoted_text: 'Hello' }))
      const asked = exchanges[1]?.body
      t.match(exchanges[1]?.headers, { authorization: 'Bearer sk-secret' })
      if (useResponses)
        t.match(asked, {
          instructions: 'You help ada.',
          input: [
            { role: 'user', content: 'Hi' },
            { role: 'assistant', content: [{ type: 'output_text', text: 'Hello Ada' }] },
            { role: 'user', content: /^Bye\n\n.*passage:\nHello$/s }
          ]
        })
      else
        t.match(asked.messages, [
          { role: 'system', content: 'You help ada.' },
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: [{ text: 'Hello Ada' }] },
          { role: 'user', content: /^Bye\n\n.*passage:\nHello$/s }
        ])
    }
  )

const messages: ModelMessage[] = [
  {
    type: 'user',
    content: [
      { type: 'text', text: 'See' },
      { type: 'image', url: 'https://e.com/a.png' },
      { type: 'file', url: 'data:application/pdf;base64,JVBERg==', mediaType: 'application/pdf', filename: 'a.pdf' }
    ]
  },
  { type: 'tool_call', callId: 'call_1', name: 'look', arguments: { deep: null } },
  { type: 'tool_output', callId: 'call_1', name: 'look', output: { seen: [1] } },
  { type: 'assistant', content: ['I ', 'see'] },
  { type: 'assistant', content: ['it'] }
]

t.test('what a model is told takes the SDK’s form, which each of its models understands', async t => {
  const { baseUrl, exchanges } = await modelServer<Json>(t, responseSays(['Yes']), says(['Yes']))
  const agent = new Agent({ name: 'Helper', model: 'fake' })
  for (const useResponses of [true, false]) {
    const modelProvider = new OpenAIProvider({ apiKey: 'k', baseURL: baseUrl, useResponses })
    const run = await new Runner({ modelProvider }).run(agent, agentInput(messages), { stream: true })
    await run.completed
  }
  t.match(exchanges[0]?.body.input, [
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'See' },
        { type: 'input_image', image_url: 'https://e.com/a.png' },
        { type: 'input_file', file_data: 'data:application/pdf;base64,JVBERg==', filename: 'a.pdf' }
      ]
    },
    { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{"deep":null}' },
    { type: 'function_call_output', call_id: 'call_1', output: '{"seen":[1]}' },
    {
      role: 'assistant',
      content: ['I ', 'see', 'it'].map(text => ({ type: 'output_text', text }))
    }
  ])
  t.match(exchanges[1]?.body.messages, [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'See' },
        { type: 'image_url', image_url: { url: 'https://e.com/a.png' } },
        { type: 'file', file: { file_data: 'data:application/pdf;base64,JVBERg==', filename: 'a.pdf' } }
      ]
    },
    { role: 'assistant', tool_calls: [{ id: 'call_1', function: { name: 'look', arguments: '{"deep":null}' } }] },
    { role: 'tool', tool_call_id: 'call_1', content: '{"seen":[1]}' },
    { role: 'assistant' }
  ])
})

t.test('a responder may run several agents, one after another, and say things between them', async t => {
  const { baseUrl } = await modelServer<Json>(t, responseSays(['billing']), responseSays(['It costs 7 €']))
  const modelProvider = new OpenAIProvider({ apiKey: 'k', baseURL: baseUrl, useResponses: true })
  const runner = new Runner({ modelProvider })
  const agent = new Agent({ name: 'Helper', model: 'fake' })
  const { events } = await buildApp(t, {
    respond: async function* (turn) {
      const context = agentContext(turn)
      for (const question of ['Which department?', 'How much?']) {
        context.addTask({ type: 'custom', title: question })
        yield* fromAgentRun(context, await runner.run(agent, question, { context, stream: true }))
      }
    }
  })
  const told = await events(create('Hi'))
  t.equal(textOf(told), 'billingIt costs 7 €')
  t.strictSame(
    kinds(answerOf(told)).filter(kind => kind.endsWith('done') && kind !== 'done'),
    ['workflow done', 'assistant_message done', 'workflow done', 'assistant_message done']
  )
})

t.test('a model of the application’s own, which calls everything by one id, is understood', async t => {
  const model: Model = {
    getResponse: () => Promise.reject(new TypeError('Only streams are asked for')),
    async *getStreamedResponse() {
      yield { type: 'response_started' }
      // Thoughts as the AI SDK's models tell them.
      for (const delta of ['Let me ', 'see.'])
        yield { type: 'model', event: { type: 'reasoning-delta', id: '0', delta } }
      for (const delta of ['Good ', 'day']) {
        yield { type: 'model', event: { type: 'text-delta', id: 'txt-0', delta } }
        yield { type: 'output_text_delta', delta }
      }
      const content = [{ type: 'output_text' as const, text: 'Good day' }]
      const output = [{ type: 'message', id: 'FAKE_ID', role: 'assistant', status: 'completed', content } as const]
      const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 }
      yield { type: 'response_done', response: { id: 'FAKE_ID', usage, output: [...output] } }
    }
  }
  const { events, items } = await agentApp(t, { agent: { model } })
  const first = await events(create('Hi'))
  const id = threadIdOf(first)
  t.strictSame([textOf(first), textOf(await events(add(id, 'Again')))], ['Good day', 'Good day'])
  const all = await items(id)
  t.match(all, [
    { type: 'user_message' },
    { type: 'workflow', workflow: { tasks: [{ content: 'Let me see.' }] } },
    { type: 'assistant_message' },
    { type: 'user_message' },
    { type: 'workflow' },
    { type: 'assistant_message' }
  ])
  t.equal(new Set(all.map(item => item.id)).size, 6)
})
