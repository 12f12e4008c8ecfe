import { type Feedback, notice } from 'fastify-chatkit'
import { memoryThreadStore, scriptedResponder } from 'fastify-chatkit/testing'
import t from 'tap'
import { add, buildApp, create, threadIdOf } from '../fixtures/build-app.ts'

t.test('O-7: a thread has no title until somebody gives it one', async t => {
  const { events, json } = await buildApp(t)
  const thread_id = threadIdOf(await events(create('x')))
  t.notOk('title' in (await json({ type: 'threads.get_by_id', params: { thread_id } })).body)
  for (const title of ['Mine ✓', '']) {
    const { body } = await json({ type: 'threads.update', params: { thread_id, title } })
    t.match(body, { id: thread_id, title, items: { data: [], has_more: false } })
    t.match((await json({ type: 'threads.list', params: {} })).body.data, [{ title }])
  }
  t.equal((await json({ type: 'threads.update', params: { thread_id, title: 'x' } }, { as: 'bob' })).status, 404)
})

t.test('O-6: deleting is fine, whether there was something to delete or not', async t => {
  const { events, json } = await buildApp(t)
  const thread_id = threadIdOf(await events(create('x')))
  const remove = { type: 'threads.delete', params: { thread_id } }
  t.strictSame(await json(remove, { as: 'bob' }), { status: 200, body: {} })
  t.equal((await json({ type: 'threads.get_by_id', params: { thread_id } })).status, 200, 'it is not Bob’s to delete')
  t.strictSame(await json(remove), { status: 200, body: {} })
  t.strictSame(await json(remove), { status: 200, body: {} })
  t.equal((await json({ type: 'threads.get_by_id', params: { thread_id } })).status, 404)
})

t.test('O-1: opinions are kept, and told to the application', async t => {
  const heard: (Feedback & { owner: string })[] = []
  const store = memoryThreadStore()
  const { events, json } = await buildApp(t, { threadStore: store, feedback: one => void heard.push(one) })
  const told = await events(create('x'))
  const thread_id = threadIdOf(told)
  const last = told.at(-1)
  const item_ids = [last && 'item' in last ? last.item.id : '']
  const give = (params: object) => json({ type: 'items.feedback', params })
  t.strictSame(await give({ thread_id, item_ids, kind: 'positive' }), { status: 200, body: {} })
  t.strictSame(await give({ thread_id: 'thr_none', item_ids: ['none'], kind: 'negative' }), { status: 200, body: {} })
  t.strictSame(heard, [
    { owner: 'ada', thread_id, item_ids, kind: 'positive' },
    { owner: 'ada', thread_id: 'thr_none', item_ids: ['none'], kind: 'negative' }
  ])
  t.strictSame(await store.forOwner('ada').listFeedback(thread_id), [{ item_id: item_ids[0], kind: 'positive' }])
})

t.test('O-5 DV-14: a closed thread takes nothing more; a locked one only where that is asked for', async t => {
  for (const [refuse, locked, closed] of [
    [undefined, 200, 409],
    [['closed', 'locked'], 409, 409],
    [[], 200, 200]
  ] as const) {
    const store = memoryThreadStore()
    const { events, json, post } = await buildApp(t, {
      threadStore: store,
      respond: () => [],
      action: () => [],
      syncAction: () => null,
      ...(refuse ? { refuse } : {})
    })
    const told = await events(create('x'))
    const thread_id = threadIdOf(told)
    const item_id = told[1] && 'item' in told[1] ? told[1].item.id : ''
    for (const [type, status] of [
      ['active', 200],
      ['locked', locked],
      ['closed', closed]
    ] as const) {
      await store.forOwner('ada').updateThread(thread_id, { status: { type } })
      const requests = [
        add(thread_id, 'more'),
        { type: 'threads.retry_after_item', params: { thread_id, item_id } },
        { type: 'threads.custom_action', params: { thread_id, action: { type: 'a' } } },
        { type: 'threads.sync_custom_action', params: { thread_id, action: { type: 'a' } } }
      ]
      for (const request of requests) {
        const response = await post(request)
        const text = await response.text()
        t.equal(response.status, status, `${type} ${JSON.stringify(request).slice(0, 40)}`)
        if (status === 409) t.match(text, `The thread is ${type}`)
      }
      t.equal((await json({ type: 'threads.update', params: { thread_id, title: 'T' } })).status, 200)
      t.equal((await json({ type: 'threads.get_by_id', params: { thread_id } })).status, 200)
    }
  }
})

t.test('a turn knows the newest of its thread, oldest of them first, hidden ones included', async t => {
  const script = scriptedResponder(
    [{ type: 'thread.item.done', item: { type: 'hidden_context_item', id: 'hcx', content: 'h' } }, { say: 'a' }],
    [
      async turn => {
        const types = (await turn.items.newest(3)).map(item => item.type)
        t.strictSame(types, ['hidden_context_item', 'assistant_message', 'user_message'])
        t.equal((await turn.items.newest()).length, 4)
        t.match(await turn.items.find('hcx'), { content: 'h' })
        t.equal((await turn.items.list({ limit: 1, order: 'asc' })).data[0]?.type, 'user_message')
        t.match(turn, { owner: 'ada', metadata: {}, requestId: /^req-/, input: { content: [{ text: 'more' }] } })
        t.match(turn.newItemId('client_tool_call'), /^tc_/)
        return notice('info', 'seen')
      }
    ]
  )
  const { events } = await buildApp(t, { respond: script.respond })
  const thread_id = threadIdOf(await events(create('x')))
  t.match((await events(add(thread_id, 'more'))).at(-1), { type: 'notice' })
})
