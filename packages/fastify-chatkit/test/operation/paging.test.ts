import { memoryThreadStore } from 'fastify-chatkit/testing'
import t from 'tap'
import { add, buildApp, create, threadIdOf } from '../fixtures/build-app.ts'

t.test('G-1 G-2 G-5: threads come newest first, by creation, and pages join up', async t => {
  const { events, json } = await buildApp(t, { respond: () => [] })
  const ids: string[] = []
  for (let n = 0; n < 5; n++) ids.unshift(threadIdOf(await events(create(`n${n}`))))
  await events(add(ids[4] ?? '', 'spoken in again'))
  await json({ type: 'threads.update', params: { thread_id: ids[3], title: 'renamed' } })
  const list = async (params: object) => (await json({ type: 'threads.list', params })).body
  const first = await list({ limit: 2 })
  t.strictSame(
    first.data.map((thread: { id: string }) => thread.id),
    ids.slice(0, 2)
  )
  t.match(first, { has_more: true, after: ids[1] })
  const second = await list({ limit: 2, after: ids[1] })
  t.match(second, { has_more: true, after: ids[3] })
  const last = await list({ limit: 2, after: ids[3] })
  t.strictSame(
    last.data.map((thread: { id: string }) => thread.id),
    ids.slice(4)
  )
  t.strictSame([last.has_more, 'after' in last], [false, false])
  const exact = await list({ limit: 5 })
  t.strictSame([exact.data.length, exact.has_more], [5, false])
  const up = await list({ limit: 2, order: 'asc', after: ids[4] })
  t.strictSame(
    up.data.map((thread: { id: string }) => thread.id),
    [ids[3], ids[2]]
  )
  for (const thread of exact.data) t.strictSame(thread.items, { data: [], has_more: false })
  t.equal((await json({ type: 'threads.list', params: { after: 'thr_none' } })).status, 404)
  t.equal((await json({ type: 'threads.list', params: { after: ids[0] } }, { as: 'bob' })).status, 404, 'nor another’s')
})

t.test('G-3 G-4 G-7: items come newest first; a thread brings its oldest twenty', async t => {
  const { events, json } = await buildApp(t, { respond: () => [], now: () => new Date(0) })
  const thread_id = threadIdOf(await events(create('0')))
  for (let n = 1; n < 41; n++) await events(add(thread_id, String(n)))
  const text = (item: { content: { text: string }[] }) => Number(item.content[0]?.text)
  const { body: page } = await json({ type: 'items.list', params: { thread_id } })
  t.strictSame(
    page.data.map(text),
    Array.from({ length: 20 }, (_, n) => 40 - n)
  )
  const { body: thread } = await json({ type: 'threads.get_by_id', params: { thread_id } })
  t.strictSame(
    thread.items.data.map(text),
    Array.from({ length: 20 }, (_, n) => n)
  )
  t.match(thread.items, { has_more: true, after: thread.items.data[19].id })
  const params = { thread_id, order: 'asc', after: thread.items.after, limit: 100 }
  const { body: rest } = await json({ type: 'items.list', params })
  t.strictSame(
    rest.data.map(text),
    Array.from({ length: 21 }, (_, n) => 20 + n),
    'equal times lose nothing'
  )
})

t.test('G-5: an unknown thread, or somebody else’s, has no items', async t => {
  const { events, json } = await buildApp(t)
  const thread_id = threadIdOf(await events(create('mine')))
  for (const [params, as] of [
    [{ thread_id: 'thr_none' }, 'ada'],
    [{ thread_id }, 'bob'],
    [{ thread_id: 'a\u0000b' }, 'ada']
  ] as const)
    t.strictSame(await json({ type: 'items.list', params }, { as }), {
      status: 200,
      body: { data: [], has_more: false }
    })
})

t.test('G-6 DV-5: hidden items neither shorten a page nor end the paging', async t => {
  const store = memoryThreadStore()
  const { events, json } = await buildApp(t, {
    threadStore: store,
    async *respond() {
      for (let n = 0; n < 5; n++) {
        yield { type: 'thread.item.done', item: { type: 'hidden_context_item', id: `hcx_${n}`, content: n } }
        yield { type: 'thread.item.done', item: { type: 'end_of_turn', id: `eot_${n}` } }
      }
    }
  })
  const thread_id = threadIdOf(await events(create('x')))
  const seen: string[] = []
  let after: string | undefined
  do {
    const { body } = await json({ type: 'items.list', params: { thread_id, limit: 2, order: 'asc', after } })
    t.equal(body.data.length, 2, 'every page is full')
    seen.push(...body.data.map((item: { id: string }) => item.id))
    after = body.after
  } while (after)
  t.equal(seen.length, 6)
  const { body } = await json({ type: 'items.list', params: { thread_id, order: 'asc', after: 'hcx_3' } })
  t.strictSame(
    body.data.map((item: { id: string }) => item.id),
    ['eot_3', 'eot_4'],
    'a hidden item is a good cursor'
  )
})
