import { memoryThreadStore, scriptedResponder } from 'fastify-chatkit/testing'
import t from 'tap'
import { add, buildApp, create, kinds, threadIdOf } from '../fixtures/build-app.ts'

const call = (id: string) => ({
  type: 'thread.item.done' as const,
  item: { type: 'client_tool_call' as const, id, call_id: `call of ${id}`, name: 'where', arguments: { a: null } }
})
const hidden = {
  type: 'thread.item.done' as const,
  item: { type: 'hidden_context_item' as const, id: 'hcx_1', content: 'stored after the call' }
}

t.test('K-1 K-2 DV-10: the newest pending call is answered, once', async t => {
  const script = scriptedResponder([call('tc_old'), call('tc_1'), hidden], [{ say: 'thanks' }])
  const store = memoryThreadStore()
  const { events, json } = await buildApp(t, { respond: script.respond, threadStore: store })
  const thread_id = threadIdOf(await events(create('Where am I?')))
  const result = { lat: 1, nothing: null }
  const told = await events({ type: 'threads.add_client_tool_output', params: { thread_id, result } })
  t.strictSame(kinds(told), ['stream_options', 'assistant_message done'], 'the call itself is not told again')
  t.equal(script.turns[1]?.input, null)
  const mine = store.forOwner('ada')
  t.match(await mine.findItem(thread_id, 'tc_1'), { status: 'completed', output: result })
  t.equal(await mine.findItem(thread_id, 'tc_old'), null, 'an older one that was never answered is removed')
  const again = await json({ type: 'threads.add_client_tool_output', params: { thread_id, result } })
  t.match(again, { status: 409, body: { code: 'FST_CHATKIT_NOT_PENDING' } })
})

t.test('a result of null is one; the call then has no output', async t => {
  const script = scriptedResponder([call('tc_1')], [])
  const { events, json } = await buildApp(t, { respond: script.respond })
  const thread_id = threadIdOf(await events(create('x')))
  await events({ type: 'threads.add_client_tool_output', params: { thread_id, result: null } })
  const { body } = await json({ type: 'items.list', params: { thread_id, limit: 1 } })
  t.match(body.data[0], { status: 'completed' })
  t.notOk('output' in body.data[0])
})

t.test('K-3: a call the user talks past stays pending, and can still be answered', async t => {
  const script = scriptedResponder([call('tc_1')], [{ say: 'ok' }], [{ say: 'late' }])
  const { events, json } = await buildApp(t, { respond: script.respond })
  const thread_id = threadIdOf(await events(create('x')))
  await events(add(thread_id, 'never mind'))
  const { body } = await json({ type: 'items.list', params: { thread_id, order: 'asc' } })
  t.match(body.data[1], { id: 'tc_1', status: 'pending' })
  await events({ type: 'threads.add_client_tool_output', params: { thread_id, result: 1 } })
  script.finish()
})
