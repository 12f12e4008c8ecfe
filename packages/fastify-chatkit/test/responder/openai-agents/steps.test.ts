import { type RunContext, tool } from '@openai/agents'
import { progress, type StreamEvent, say, type WorkflowItem } from 'fastify-chatkit'
import { type AgentContext, clientTool } from 'fastify-chatkit/openai-agents'
import { calls, says } from 'fastify-chatkit/testing'
import t from 'tap'
import { z } from 'zod'
import { create, kinds, threadIdOf } from '../../fixtures/build-app.ts'
import { agentApp } from '../fixtures/agent-app.ts'
import { answerOf, textOf } from '../fixtures/responder-app.ts'
import { responds, responseSays } from '../fixtures/responses-reply.ts'

type Run = RunContext<AgentContext>

const workflowIn = (events: StreamEvent[]) =>
  events.flatMap(event =>
    event.type === 'thread.item.done' && event.item.type === 'workflow' ? [event.item.workflow] : []
  )

t.test(
  'what a model thinks is one item: its first thought as it comes, others when complete, until it speaks',
  async t => {
    const { events, items } = await agentApp(
      t,
      {},
      responds(async response => {
        response.reasoning([
          ['The parcel ', 'is late, ', 'so I look it up.'],
          ['It is ', 'in Ulm.']
        ])
        await response.message(['In Ulm'])
        return undefined
      })
    )
    const told = await events(create('Where?'))
    t.strictSame(kinds(answerOf(told)), [
      'workflow added',
      'added',
      'updated',
      'updated',
      'updated',
      'added',
      'workflow done',
      'assistant_message added',
      'added',
      'text_delta',
      'done',
      'assistant_message done'
    ])
    t.match(answerOf(told)[0], { item: { workflow: { type: 'reasoning', tasks: [], expanded: false } } })
    const tasks = [
      { type: 'thought', content: 'The parcel is late, so I look it up.' },
      { type: 'thought', content: 'It is in Ulm.' }
    ]
    t.match(workflowIn(told), [{ type: 'reasoning', tasks, summary: { duration: 0 }, expanded: false }])
    t.match((await items(threadIdOf(told)))[1], { type: 'workflow', workflow: { tasks } })
  }
)

t.test('a long thought does not cost its length squared', async t => {
  const { events } = await agentApp(
    t,
    {},
    responds(async response => {
      response.reasoning([Array.from({ length: 2000 }, () => 'word ')])
      await response.message(['Yes'])
      return undefined
    })
  )
  const told = await events(create('Hi'))
  t.match(workflowIn(told), [{ tasks: [{ content: 'word '.repeat(2000) }] }])
  t.ok(told.length < 400, `${told.length} events`)
})

t.test('a model that does not tell its thoughts is seen to think', async t => {
  const { events } = await agentApp(
    t,
    {},
    responds(async response => {
      response.reasoning([])
      await response.message(['Yes'])
      return undefined
    })
  )
  const told = await events(create('Hi'))
  t.match(workflowIn(told), [{ type: 'reasoning', tasks: [], summary: { duration: 0 } }])
})

t.test('thoughts of open models are shown: in chat completions, and in full behind the Responses API', async t => {
  const plain = await agentApp(t, { useResponses: false }, ({ delta, finish }) => {
    delta({ role: 'assistant', reasoning: 'Let me ' })
    delta({ reasoning_content: 'see.' })
    delta({ content: 'Yes' })
    finish()
  })
  const full = await agentApp(
    t,
    {},
    responds(async response => {
      const at = { ...response.add({ id: 'rs_1', type: 'reasoning', summary: [] }), content_index: 0 }
      const part = { type: 'reasoning_text', text: '' }
      response.event('response.content_part.added', { ...at, part })
      for (const delta of ['Let me ', 'see.']) response.event('response.reasoning_text.delta', { ...at, delta })
      response.event('response.reasoning_text.done', { ...at, text: 'Let me see.' })
      response.done(at, { id: 'rs_1', type: 'reasoning', summary: [], content: [{ ...part, text: 'Let me see.' }] })
      await response.message(['Yes'])
      return undefined
    })
  )
  for (const { events } of [plain, full]) {
    const told = await events(create('Hi'))
    t.match(workflowIn(told), [{ type: 'reasoning', tasks: [{ type: 'thought', content: 'Let me see.' }] }])
    t.equal(textOf(told), 'Yes')
    t.equal(kinds(answerOf(told))[0], 'workflow added')
  }
})

t.test('thoughts are not shown when that is not wanted', async t => {
  const reply = responds(async response => {
    response.reasoning([['Hm']])
    await response.message(['Yes'])
    return undefined
  })
  const { events } = await agentApp(t, { reasoning: false }, reply)
  t.equal(kinds(answerOf(await events(create('Hi'))))[0], 'assistant_message added')
  const plain = await agentApp(t, { reasoning: false, useResponses: false }, ({ delta, finish }) => {
    delta({ reasoning: 'Hm' })
    delta({ content: 'Yes' })
    finish()
  })
  t.equal(kinds(answerOf(await plain.events(create('Hi'))))[0], 'assistant_message added')
})

t.test('what tools tell is shown in order with what the model says', async t => {
  const find = tool({
    name: 'find',
    description: 'Finds',
    parameters: z.object({ id: z.string() }),
    async execute({ id }, run?: Run) {
      const context = run?.context
      context?.stream(progress('Looking'))
      await context?.stream(say(context.turn, ['Found ', id]))
      await context?.streamWidget({ type: 'Card', children: [{ type: 'Text', value: id }] } as { type: string })
      return { id }
    }
  })
  for (const useResponses of [true, false])
    await t.test(useResponses ? 'Responses API' : 'chat completions', async t => {
      const first = useResponses
        ? responds(async response => {
            await response.message(['One moment'])
            response.call('find', { id: '7' })
            return undefined
          })
        : calls('find', { id: '7' })
      const last = (useResponses ? responseSays : says)(['There'])
      const { events, items, exchanges } = await agentApp(t, { useResponses, agent: { tools: [find] } }, first, last)
      const told = await events(create('Hi'))
      const message = ['assistant_message added', 'added', 'text_delta', 'done', 'assistant_message done']
      t.strictSame(kinds(answerOf(told)), [
        ...(useResponses ? message : []),
        'progress_update',
        'assistant_message added',
        'added',
        'text_delta',
        'text_delta',
        'done',
        'assistant_message done',
        'widget done',
        ...message
      ])
      t.strictSame(
        (await items(threadIdOf(told))).map(item => item.type),
        [
          'user_message',
          ...(useResponses ? ['assistant_message'] : []),
          'assistant_message',
          'widget',
          'assistant_message'
        ]
      )
      t.match(JSON.stringify(exchanges[1]?.body), /"(output|content)":"\{\\"id\\":\\"7\\"\}"/)
    })
})

t.test('what a tool tells at once comes after all that the model had said, however fast that came', async t => {
  const quick = tool({
    name: 'quick',
    description: 'Quick',
    parameters: z.object({}),
    execute(_, run?: Run) {
      run?.context.stream(progress('Quick'))
      return 'ok'
    }
  })
  const { events } = await agentApp(
    t,
    { agent: { tools: [quick] } },
    responds(async response => {
      await response.message(Array.from({ length: 500 }, () => 'word '))
      response.call('quick', {})
      return undefined
    }),
    responseSays(['Done'])
  )
  const told = kinds(answerOf(await events(create('Hi'))))
  const [before, after] = [told.indexOf('assistant_message done'), told.lastIndexOf('assistant_message added')]
  t.strictSame([told.indexOf('progress_update'), after], [before + 1, before + 2])
})

t.test(
  'the steps of tools are one item, among what the model thinks, and end when something else is shown',
  async t => {
    const work = tool({
      name: 'work',
      description: 'Works',
      parameters: z.object({}),
      async execute(_, run?: Run) {
        const task = run?.context.addTask({ type: 'custom', title: 'Working', status_indicator: 'loading' })
        run?.context.addTask({ type: 'web_search', queries: ['ulm'], status_indicator: 'loading' })
        task?.update({ status_indicator: 'complete', content: 'Done' })
        return 'ok'
      }
    })
    const { events, items } = await agentApp(
      t,
      { agent: { tools: [work] } },
      responds(response => {
        response.reasoning([['Work is needed']])
        response.call('work', {})
        return undefined
      }),
      responds(async response => {
        response.reasoning([['It is ', 'done']], 'rs_2')
        await response.message(['Done'])
        return undefined
      })
    )
    const told = await events(create('Hi'))
    t.equal(told.filter(event => 'item' in event && event.item.type === 'workflow').length, 2, 'begun and ended once')
    const tasks = [
      { type: 'thought', content: 'Work is needed' },
      { type: 'custom', title: 'Working', content: 'Done', status_indicator: 'complete' },
      { type: 'web_search', queries: ['ulm'], status_indicator: 'complete' },
      { type: 'thought', content: 'It is done' }
    ]
    t.match(workflowIn(told), [{ type: 'reasoning', tasks, summary: { duration: 0 } }])
    t.strictSame(
      (await items(threadIdOf(told))).map(item => item.type),
      ['user_message', 'workflow', 'assistant_message']
    )
  }
)

t.test('a workflow of the application’s own is shown with its first step, and ends as it says', async t => {
  const work = tool({
    name: 'work',
    description: 'Works',
    parameters: z.object({}),
    async execute(_, run?: Run) {
      const context = run?.context
      context?.startWorkflow({ summary: { title: 'Nothing' } })
      context?.startWorkflow({ expanded: true })
      const task = context?.addTask({ type: 'custom', title: 'One' })
      context?.addTask({ type: 'custom', title: 'Two' })
      context?.endWorkflow({ title: 'All done', icon: 'check' }, { expanded: true })
      task?.update({ title: 'One, in the end' })
      return 'ok'
    }
  })
  const { events, items } = await agentApp(
    t,
    { agent: { tools: [work] } },
    responds(response => {
      response.call('work', {})
      return undefined
    }),
    responseSays(['Done'])
  )
  const told = await events(create('Hi'))
  t.strictSame(kinds(answerOf(told)).slice(0, 4), ['workflow added', 'added', 'workflow done', 'workflow replaced'])
  t.match(answerOf(told)[0], { item: { workflow: { type: 'custom', expanded: true, tasks: [{ title: 'One' }] } } })
  const summary = { title: 'All done', icon: 'check' }
  t.match(answerOf(told)[3], { item: { workflow: { summary, expanded: true } } })
  const stored = (await items(threadIdOf(told))).filter(item => item.type === 'workflow')
  t.match(stored, [{ workflow: { summary, tasks: [{ title: 'One, in the end' }, { title: 'Two' }] } }])
})

t.test('what a tool shows ends the steps before it; what nobody sees does not', async t => {
  const work = tool({
    name: 'work',
    description: 'Works',
    parameters: z.object({}),
    async execute(_, run?: Run) {
      const context = run?.context
      context?.addTask({ type: 'custom', title: 'One' })
      const id = context?.turn.newItemId('hidden_context_item') ?? ''
      context?.stream({ type: 'thread.item.done', item: { type: 'hidden_context_item', id, content: 'Psst' } })
      context?.addTask({ type: 'custom', title: 'Two' })
      await context?.stream(say(context.turn, 'Look'))
      context?.addTask({ type: 'custom', title: 'Three' })
      return 'ok'
    }
  })
  const { events } = await agentApp(
    t,
    { agent: { tools: [work] } },
    responds(response => {
      response.call('work', {})
      return undefined
    }),
    responseSays(['Done'])
  )
  const told = await events(create('Hi'))
  t.strictSame(kinds(answerOf(told)).slice(0, 7), [
    'workflow added',
    'added',
    'workflow done',
    'assistant_message done',
    'workflow added',
    'workflow done',
    'assistant_message added'
  ])
  t.match(workflowIn(told), [{ tasks: [{ title: 'One' }, { title: 'Two' }] }, { tasks: [{ title: 'Three' }] }])
})

t.test('steps that wait for the page go on in the next turn: one item, stored once', async t => {
  const getCart = clientTool({ name: 'get_cart', description: 'Gets the cart', parameters: z.object({}) })
  const { events, items, problems } = await agentApp(
    t,
    { agent: { tools: [getCart] } },
    responds(response => {
      response.reasoning([['I need ', 'the cart']])
      response.call('get_cart', {})
      return undefined
    }),
    responds(async response => {
      response.reasoning([['It is full']], 'rs_2')
      await response.message(['Full'])
      return undefined
    })
  )
  const first = await events(create('Hi'))
  const id = threadIdOf(first)
  t.strictSame(kinds(first).slice(-2), ['workflow done', 'client_tool_call done'])
  const [waiting] = workflowIn(first)
  t.notOk(waiting?.summary, 'it has not ended')
  const second = await events({ type: 'threads.add_client_tool_output', params: { thread_id: id, result: { n: 3 } } })
  t.strictSame(kinds(second), [
    'stream_options',
    'added',
    'workflow replaced',
    'assistant_message added',
    'added',
    'text_delta',
    'done',
    'assistant_message done'
  ])
  const all = await items(id)
  const tasks = [{ content: 'I need the cart' }, { content: 'It is full' }]
  t.strictSame(
    all.map(item => item.type),
    ['user_message', 'workflow', 'client_tool_call', 'assistant_message']
  )
  t.match(all[1] as WorkflowItem, { workflow: { tasks, summary: { duration: Number } } })
  t.strictSame(problems(), [])
})
