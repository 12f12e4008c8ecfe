import { memoryThreadStore, scriptedResponder } from 'fastify-chatkit/testing'
import t from 'tap'
import { add, buildApp, create, kinds, threadIdOf } from '../fixtures/build-app.ts'

t.test('R-1 R-2 R-6: a message is answered again; everything after it is gone, nothing before it', async t => {
  const script = scriptedResponder([{ say: 'one' }], [{ say: 'two' }], [{ say: 'three' }], [{ say: 'again' }])
  const { events, json } = await buildApp(t, {
    respond: script.respond,
    attachments: { create: async () => ({}), delete: async () => undefined }
  })
  const { body: attachment } = await json({
    type: 'attachments.create',
    params: { name: 'a.txt', size: 1, mime_type: 'text/plain' }
  })
  const thread_id = threadIdOf(await events(create('1')))
  const second = await events(add(thread_id, '2'))
  await events(add(thread_id, '3', { attachments: [attachment.id] }))
  const target = second[0] && 'item' in second[0] ? second[0].item : undefined
  const told = await events({ type: 'threads.retry_after_item', params: { thread_id, item_id: target?.id } })
  t.strictSame(kinds(told), ['stream_options', 'assistant_message done'], 'no word of the deletions')
  t.strictSame(script.turns[3]?.input, target)
  const { body } = await json({ type: 'items.list', params: { thread_id, order: 'asc' } })
  t.strictSame(
    body.data.map((item: { content: { text: string }[] }) => item.content[0]?.text),
    ['1', 'one', '2', 'again']
  )
  t.strictSame(body.data[2], target, 'the message itself is as it was')
  t.equal((await events(add(thread_id, '4', { attachments: [attachment.id] })))[0]?.type, 'thread.item.done')
})

t.test('R-3 R-4 DV-9: what is no message of the thread is refused, and nothing is deleted', async t => {
  const { events, json } = await buildApp(t)
  const told = await events(create('1'))
  const thread_id = threadIdOf(told)
  const answer = told.at(-1)
  const answerId = answer && 'item' in answer ? answer.item.id : ''
  const other = await events(create('elsewhere'))
  const foreign = other[1] && 'item' in other[1] ? other[1].item.id : ''
  for (const [item_id, status, code] of [
    [answerId, 409, 'FST_CHATKIT_ITEM_WRONG_TYPE'],
    ['msg_none', 404, 'FST_CHATKIT_ITEM_NOT_FOUND'],
    [foreign, 404, 'FST_CHATKIT_ITEM_NOT_FOUND'],
    ['a\u0000', 404, 'FST_CHATKIT_ITEM_NOT_FOUND']
  ] as const)
    t.match(await json({ type: 'threads.retry_after_item', params: { thread_id, item_id } }), {
      status,
      body: { code }
    })
  const mine = told[1] && 'item' in told[1] ? told[1].item.id : ''
  const stranger = await json({ type: 'threads.retry_after_item', params: { thread_id, item_id: mine } }, { as: 'bob' })
  t.match(stranger, { status: 404, body: { code: 'FST_CHATKIT_THREAD_NOT_FOUND' } })
  t.equal((await json({ type: 'items.list', params: { thread_id } })).body.data.length, 2)
})

t.test('R-5: the deletions happen at once, or not at all', async t => {
  const memory = memoryThreadStore()
  let fail = false
  const { events, json } = await buildApp(t, {
    threadStore: {
      ...memory,
      forOwner(owner) {
        const threads = memory.forOwner(owner)
        return {
          ...threads,
          transaction: work =>
            threads.transaction(async tx => {
              const result = await work(tx)
              if (fail) throw new Error('lost the connection')
              return result
            })
        }
      }
    }
  })
  const told = await events(create('1'))
  const thread_id = threadIdOf(told)
  const item_id = told[1] && 'item' in told[1] ? told[1].item.id : ''
  fail = true
  t.equal((await json({ type: 'threads.retry_after_item', params: { thread_id, item_id } })).status, 503)
  t.equal((await json({ type: 'items.list', params: { thread_id } })).body.data.length, 2)
  t.equal((await json(create('x'))).status, 503)
  t.equal((await json({ type: 'threads.list', params: {} })).body.data.length, 1, 'DV-8: no thread without its message')
})
