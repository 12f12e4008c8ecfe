import { type ActionTurn, say } from 'fastify-chatkit'
import { memoryThreadStore, scriptedResponder } from 'fastify-chatkit/testing'
import t from 'tap'
import { buildApp, create, kinds, threadIdOf } from '../fixtures/build-app.ts'

const card = (value: string) => ({ type: 'Card', children: [{ type: 'Text', value }] })
const widget = { type: 'thread.item.done' as const, item: { type: 'widget' as const, id: 'w', widget: card('old') } }
const note = { type: 'thread.item.done' as const, item: { type: 'end_of_turn' as const, id: 'note' } }

function act(thread_id: string, more: object = {}, type = 'threads.custom_action') {
  return { type, params: { thread_id, action: { type: 'go', payload: { n: null } }, ...more } }
}

t.test('O-2: an action comes with its widget, or without one', async t => {
  const turns: ActionTurn[] = []
  const { events, json } = await buildApp(t, {
    respond: scriptedResponder([widget, note]).respond,
    action(turn) {
      turns.push(turn)
      return say(turn, 'done')
    }
  })
  const thread_id = threadIdOf(await events(create('x')))
  for (const item_id of ['w', null, undefined])
    t.strictSame(kinds(await events(act(thread_id, { item_id }))), ['stream_options', 'assistant_message done'])
  t.match(turns[0], { input: null, action: { type: 'go', payload: { n: null } }, sender: { id: 'w', type: 'widget' } })
  t.equal(turns[1]?.sender, null)
  t.equal(turns[2]?.sender, null)
  t.equal(turns[0]?.thread.id, thread_id)
  t.match(await json(act(thread_id, { item_id: 'none' })), {
    status: 404,
    body: { code: 'FST_CHATKIT_ITEM_NOT_FOUND' }
  })
  t.strictSame(
    await events(act(thread_id, { item_id: 'note' })),
    [{ type: 'error', code: 'stream.error', allow_retry: false }],
    'what is no widget: one event, as the reference server answers'
  )
  t.equal(turns.length, 3)
})

t.test('an action may change the thread', async t => {
  const { events } = await buildApp(t, {
    respond: scriptedResponder([widget]).respond,
    *action({ thread }) {
      thread.title = 'Acted on'
      yield { type: 'client_effect', name: 'fx' }
    }
  })
  const thread_id = threadIdOf(await events(create('x')))
  t.strictSame(kinds(await events(act(thread_id))), ['stream_options', 'client_effect', 'thread.updated'])
})

t.test('O-3 O-4 DV-16: changed widgets are stored where that is asked for', async t => {
  for (const persistWidgetUpdates of [false, true]) {
    const store = memoryThreadStore()
    const { events, json } = await buildApp(t, {
      threadStore: store,
      persistWidgetUpdates,
      respond: scriptedResponder([widget, note]).respond,
      syncAction: ({ sender, action }) => (action.type === 'go' && sender ? { ...sender, widget: card('new') } : null),
      *action() {
        yield {
          type: 'thread.item.updated',
          item_id: 'w',
          update: { type: 'widget.root.updated', widget: card('newest') }
        }
      }
    })
    const thread_id = threadIdOf(await events(create('x')))
    const stored = async () => JSON.stringify(await store.forOwner('ada').findItem(thread_id, 'w'))
    const sync = (more: object) => json(act(thread_id, more, 'threads.sync_custom_action'))
    const { body } = await sync({ item_id: 'w' })
    t.match(body, { updated_item: { id: 'w', widget: card('new') } })
    t.match(await stored(), persistWidgetUpdates ? '"new"' : '"old"')
    t.strictSame((await sync({})).body, {})
    t.match(await sync({ item_id: 'note' }), { status: 409, body: { code: 'FST_CHATKIT_ITEM_WRONG_TYPE' } })
    t.equal((await sync({ item_id: 'none' })).status, 404)
    const told = await events(act(thread_id, { item_id: 'w' }))
    t.match(told[1], { update: { widget: card('newest') } }, 'it is told either way')
    t.match(await stored(), persistWidgetUpdates ? '"newest"' : '"old"')
  }
})

t.test('a widget that is deleted while its action is answered does not come back', async t => {
  const store = memoryThreadStore()
  const { events, json } = await buildApp(t, {
    threadStore: store,
    persistWidgetUpdates: true,
    respond: scriptedResponder([widget, note]).respond,
    async syncAction({ sender, owner, thread }) {
      await store.forOwner(owner).deleteItem(thread.id, 'w')
      return sender && { ...sender, widget: card('new') }
    }
  })
  const thread_id = threadIdOf(await events(create('x')))
  t.match(await json(act(thread_id, { item_id: 'w' }, 'threads.sync_custom_action')), {
    status: 404,
    body: { code: 'FST_CHATKIT_ITEM_NOT_FOUND' }
  })
  t.equal(await store.forOwner('ada').findItem(thread_id, 'w'), null)
})

t.test(
  'an item that is none, given for an action, is the application’s failure, and nothing of it is told',
  async t => {
    const { events, json, logged } = await buildApp(t, {
      respond: scriptedResponder([widget]).respond,
      syncAction: () => ({ type: 'widget', id: 'w', widget: { secret: 'sk-123' } }) as never
    })
    const thread_id = threadIdOf(await events(create('x')))
    const { status, body } = await json(act(thread_id, {}, 'threads.sync_custom_action'))
    t.match(
      { status, body },
      { status: 500, body: { code: 'FST_CHATKIT_HOOK_FAILED', message: 'This could not be done' } }
    )
    t.match(JSON.stringify(logged), 'A widget is an object with a type')
  }
)

t.test('a time that is left undefined is now', async t => {
  const created_at = undefined
  const { events, json } = await buildApp(t, {
    respond: scriptedResponder([{ ...widget, item: { ...widget.item, created_at } }]).respond,
    syncAction: ({ sender }) => sender && { ...sender, created_at }
  })
  const told = await events(create('x'))
  t.match(told.at(-1), { item: { id: 'w', created_at: /Z$/ } })
  const { body } = await json(act(threadIdOf(told), { item_id: 'w' }, 'threads.sync_custom_action'))
  t.match(body, { updated_item: { id: 'w', created_at: /Z$/ } })
})

t.test('a server without the hook says so', async t => {
  const { events, json } = await buildApp(t)
  const thread_id = threadIdOf(await events(create('x')))
  for (const type of ['threads.custom_action', 'threads.sync_custom_action'])
    t.match(await json(act(thread_id, {}, type)), { status: 400, body: { code: 'FST_CHATKIT_NOT_SUPPORTED' } })
})
