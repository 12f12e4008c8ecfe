import { clientEffect, notice, progress, type RunningWorkflow, startWorkflow } from 'fastify-chatkit'
import t from 'tap'
import { buildApp, create, kinds, threadIdOf } from '../../fixtures/build-app.ts'

const turn = { newItemId: () => 'wf_1' }

t.test('steps are shown as they are taken, and kept', async t => {
  const client = await buildApp(t, {
    async *respond(turn) {
      yield progress('One moment', 'search')
      const steps = startWorkflow(turn, { expanded: true })
      yield* steps.add({ type: 'custom', title: 'Looking up your order', status_indicator: 'loading' })
      yield* steps.update(steps.size - 1, { title: 'Looked up your order', status_indicator: 'complete' })
      yield* steps.add({ type: 'web_search', queries: ['parcel'], status_indicator: 'loading' })
      yield* steps.finish({ title: 'Found it', icon: 'check' })
      yield notice('info', 'It is **late**.', 'Your parcel')
      yield clientEffect('highlight', { id: 7 })
    }
  })
  const told = await client.events(create('Where is it?'))
  t.strictSame(kinds(told).slice(3), [
    'progress_update',
    'workflow added',
    'added',
    'updated',
    'added',
    'workflow done',
    'notice',
    'client_effect'
  ])
  t.match(told[4], { item: { workflow: { type: 'custom', tasks: [], expanded: true } } }, 'it begins empty')
  const { body } = await client.json({ type: 'items.list', params: { thread_id: threadIdOf(told) } })
  t.match(body.data[0], {
    id: /^wf_[0-9a-f]{24}$/,
    type: 'workflow',
    workflow: {
      type: 'custom',
      summary: { title: 'Found it', icon: 'check' },
      tasks: [
        { type: 'custom', title: 'Looked up your order', status_indicator: 'complete' },
        { type: 'web_search', queries: ['parcel'], status_indicator: 'complete' }
      ]
    }
  })
})

t.test('a workflow nobody added to is never shown, and one that is over stays so', async t => {
  const steps = startWorkflow(turn)
  t.strictSame(steps.finish(), [])
  steps.add({ type: 'custom', title: 'A' })
  t.equal(steps.finish().length, 1)
  t.strictSame(steps.finish(), [])
  t.throws(() => steps.add({ type: 'custom', title: 'B' }), RangeError)
  t.throws(() => steps.update(0, { title: 'B' }), RangeError)
  t.throws(() => startWorkflow(turn).update(0, { title: 'B' }), RangeError)
})

t.test('without words of its own it says how many seconds it took', async t => {
  const steps = startWorkflow(turn, { type: 'reasoning' })
  steps.think('a')
  await new Promise(resolve => setTimeout(resolve, 1100))
  t.match(steps.finish(), [{ item: { workflow: { type: 'reasoning', summary: { duration: 1 } } } }])
})

t.test('a thought grows, whole each time, and the next is another', async t => {
  const steps = startWorkflow(turn, { type: 'reasoning' })
  const seen: string[] = []
  const see = (events: ReturnType<RunningWorkflow['think']>) => {
    for (const event of events)
      if (event.type === 'thread.item.updated' && 'task' in event.update && event.update.task.type === 'thought')
        seen.push(`${event.update.task_index} ${event.update.task.content}`)
  }
  for (const delta of ['Let me ', '', 'think about', ' it']) see(steps.think(delta))
  see(steps.endThought())
  see(steps.endThought())
  see(steps.think('Next'))
  t.strictSame(seen, ['0 Let me ', '0 Let me think about', '0 Let me think about it', '1 Next'])
  t.match(steps.finish().at(-1), {
    item: { workflow: { tasks: [{ content: 'Let me think about it' }, { content: 'Next' }] } }
  })
})
