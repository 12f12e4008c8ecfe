import { scriptedResponder } from 'fastify-chatkit/testing'
import t from 'tap'
import { buildApp, create, kinds, threadIdOf } from '../fixtures/build-app.ts'

const questions = {
  type: 'thread.item.done' as const,
  item: {
    type: 'structured_input' as const,
    id: 'si_1',
    inputs: [
      { type: 'multiple_choice' as const, id: 'one', question: 'One?', options: [{ value: 'a' }, { value: 'b' }] },
      { type: 'multiple_choice' as const, id: 'many', question: 'Many?', options: [{ value: 'a' }], multiple: true },
      { type: 'freeform' as const, id: 'free', question: 'Why?' },
      { type: 'freeform' as const, id: '__proto__x', question: 'Odd?' }
    ]
  }
}

t.test('I-1 I-2 I-3 I-4 I-5: answers are taken, question by question, and the item is replaced', async t => {
  const cases = [
    {
      why: 'answered in part',
      input: {
        answers: {
          one: { values: ['own words', 'b'] },
          many: { values: ['a', 'c'] },
          free: { values: [] },
          unknown: { values: ['x'] }
        }
      },
      status: 'answered',
      answers: [{ values: ['own words'], skipped: false }, { values: ['a', 'c'], skipped: false }, null, null]
    },
    {
      why: 'skipped one by one',
      input: { answers: { one: { values: ['a'], skipped: true }, free: { skipped: true } } },
      status: 'answered',
      answers: [null, null, null, null]
    },
    {
      why: 'skipped as a whole',
      input: { status: 'skipped', answers: { one: { values: ['a'] } } },
      status: 'skipped',
      answers: [null, null, null, null]
    },
    { why: 'nothing said', input: {}, status: 'answered', answers: [null, null, null, null] }
  ]
  for (const { why, input, status, answers } of cases) {
    const script = scriptedResponder([questions], [{ say: 'thanks' }])
    const { events, json, logged } = await buildApp(t, { respond: script.respond })
    const thread_id = threadIdOf(await events(create('x')))
    const told = await events({ type: 'threads.add_structured_input', params: { thread_id, item_id: 'si_1', input } })
    t.strictSame(kinds(told), ['stream_options', 'structured_input replaced', 'assistant_message done'], why)
    t.equal(script.turns[1]?.input, null)
    const item = told[1] && 'item' in told[1] ? told[1].item : undefined
    t.match(item, { status })
    t.strictSame(
      item?.type === 'structured_input' && item.inputs.map(question => question.answer),
      answers.map(answer => answer ?? { values: [], skipped: true }),
      why
    )
    const { body } = await json({ type: 'items.list', params: { thread_id, order: 'asc' } })
    t.strictSame(body.data[1], item, 'stored as it was told')
    t.equal(
      logged.some(line => line.level === 40),
      'unknown' in (input.answers ?? {}),
      'unknown questions are noted'
    )
    const twice = await json({ type: 'threads.add_structured_input', params: { thread_id, item_id: 'si_1', input } })
    t.match(twice, { status: 409, body: { code: 'FST_CHATKIT_NOT_PENDING' } })
  }
})

t.test('I-1: what is no structured input of the thread is refused', async t => {
  const { events, json } = await buildApp(t)
  const told = await events(create('x'))
  const thread_id = threadIdOf(told)
  const message = told[1] && 'item' in told[1] ? told[1].item.id : ''
  const answer = (item_id: string) =>
    json({ type: 'threads.add_structured_input', params: { thread_id, item_id, input: {} } })
  t.match(await answer(message), { status: 409, body: { code: 'FST_CHATKIT_ITEM_WRONG_TYPE' } })
  t.match(await answer('si_none'), { status: 404, body: { code: 'FST_CHATKIT_ITEM_NOT_FOUND' } })
})
