import t from 'tap'
import { accumulateText, streamWidget, widgets } from '../../src/widget/index.ts'

const { Button, Card, Divider, Markdown, Text, Title, Transition } = widgets
const turn = { newItemId: () => 'msg_1' }

async function* stream<Value>(...values: Value[]) {
  yield* values
}

async function all<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const list: Value[] = []
  for await (const value of values) list.push(value)
  return list
}

t.test('one widget is one event', async t => {
  const root = Card({ children: [Button({ label: 'Go', onClickAction: { type: 'go', payload: { k: 1, n: null } } })] })
  t.strictSame(await all(streamWidget(turn, root, { copyText: 'copy' })), [
    {
      type: 'thread.item.done',
      item: {
        type: 'widget',
        id: 'msg_1',
        widget: {
          type: 'Card',
          children: [
            {
              type: 'Button',
              label: 'Go',
              onClickAction: {
                type: 'go',
                payload: { k: 1 },
                handler: 'server',
                loadingBehavior: 'auto',
                streaming: true
              }
            }
          ]
        },
        copy_text: 'copy'
      }
    }
  ])
})

t.test('the item has the id it was given, and no text to copy unless there is one', async t => {
  const widget = { type: 'Card', children: [] }
  t.strictSame(await all(streamWidget(turn, Card({ children: [] }), { id: 'w_1' })), [
    { type: 'thread.item.done', item: { type: 'widget', id: 'w_1', widget } }
  ])
})

t.test('states become the events that lead from one to the next (D-1, D-2)', async t => {
  const state = (value: string, streaming: boolean) => Card({ children: [Text({ value, id: 't', streaming })] })
  const item = (widget: object) => ({ type: 'widget', id: 'msg_1', widget, copy_text: 'Hello!' })
  const delta = (delta: string) => ({
    type: 'widget.streaming_text.value_delta',
    component_id: 't',
    delta,
    done: false
  })
  const states = stream(state('', true), state('Hel', true), state('Hello', true), state('Hello!', false))
  t.strictSame(await all(streamWidget(turn, states, { copyText: 'Hello!' })), [
    { type: 'thread.item.added', item: item(state('', true)) },
    { type: 'thread.item.updated', item_id: 'msg_1', update: delta('Hel') },
    { type: 'thread.item.updated', item_id: 'msg_1', update: delta('lo') },
    {
      type: 'thread.item.updated',
      item_id: 'msg_1',
      update: { type: 'widget.root.updated', widget: state('Hello!', false) }
    },
    { type: 'thread.item.done', item: item(state('Hello!', false)) }
  ])
})

t.test('growing text without an id is not lost on the way (D-3)', async t => {
  const states = [Card({ children: [Text({ value: 'a' })] }), Card({ children: [Text({ value: 'ab' })] })]
  const events = await all(streamWidget(turn, states))
  t.strictSame(events[1], {
    type: 'thread.item.updated',
    item_id: 'msg_1',
    update: { type: 'widget.root.updated', widget: states[1] }
  })
  t.equal(events.length, 3)
})

t.test('a state may be the one before, changed in place', async t => {
  const text = Text({ id: 't', value: 'a' })
  const root = Card({ children: [text] })
  async function* states() {
    yield root
    text.value = 'ab'
    yield root
    root.children.push(Divider())
    yield root
  }
  t.strictSame(
    (await all(streamWidget(turn, states()))).map(event => ('update' in event ? event.update.type : event.type)),
    ['thread.item.added', 'widget.streaming_text.value_delta', 'widget.root.updated', 'thread.item.done']
  )
})

t.test('a stream of one state begins and is done', async t => {
  const events = await all(streamWidget(turn, stream(Card({ children: [] }))))
  t.strictSame(
    events.map(({ type }) => type),
    ['thread.item.added', 'thread.item.done']
  )
})

t.test('a stream without a state shows nothing', async t => {
  t.strictSame(await all(streamWidget(turn, stream())), [])
})

t.test('an error of the states leaves the item unfinished', async t => {
  async function* states() {
    yield Card({ children: [] })
    throw new Error('no more')
  }
  const seen: string[] = []
  await t.rejects(
    (async () => {
      for await (const { type } of streamWidget(turn, states())) seen.push(type)
    })(),
    { message: 'no more' }
  )
  t.strictSame(seen, ['thread.item.added'])
})

t.test('whoever makes the states is told when nobody wants more', async t => {
  let told = false
  async function* states() {
    try {
      for (;;) yield Card({ children: [] })
    } finally {
      told = true
    }
  }
  for await (const _event of streamWidget(turn, states())) break
  t.ok(told)
})

t.test('text is accumulated from its deltas (D-6)', async t => {
  const base = Text({ id: 't', value: '> ', streaming: true, size: 'lg' })
  t.strictSame(await all(accumulateText(stream('a', '', 'b'), base)), [
    { ...base, value: '> ' },
    { ...base, value: '> a' },
    { ...base, value: '> ab' },
    { ...base, value: '> ab', streaming: false }
  ])
  t.strictSame(await all(accumulateText([], Markdown({ id: 'm', value: '' }))), [
    { type: 'Markdown', id: 'm', value: '' },
    { type: 'Markdown', id: 'm', value: '', streaming: false }
  ])
})

t.test('text needs an id to be accumulated', async t => {
  await t.rejects(accumulateText([], Text({ id: '', value: '' })).next(), TypeError)
})

t.test('accumulated text goes out delta by delta, with nothing between', async t => {
  const deltas = Array.from({ length: 200 }, (_, at) => `${at} \u{1F600}`)
  async function* states() {
    for await (const text of accumulateText(deltas, Text({ id: 't', value: '', streaming: true })))
      yield Card({ children: [Title({ value: 'Answer' }), text] })
  }
  const events = await all(streamWidget(turn, states()))
  t.strictSame(
    events.slice(1, -2).map(event => 'update' in event && 'delta' in event.update && event.update.delta),
    deltas
  )
  t.match(events.at(-2), { update: { type: 'widget.root.updated' } })
  t.match(events.at(-1), { item: { widget: { children: [{}, { value: deltas.join(''), streaming: false }] } } })
})

t.test('accumulated text that is skipped, taken back or cannot be named is still right', async t => {
  const states = await all(accumulateText(['a', 'b', 'c'], Text({ id: 't', value: '', streaming: true })))
  const [none, a, , abc] = states
  if (!none || !a || !abc) throw new Error('There are five states')
  const updates = async (...nodes: (typeof a)[]) => {
    const events = await all(
      streamWidget(
        turn,
        nodes.map(node => Card({ children: [node] }))
      )
    )
    return events.flatMap(event => ('update' in event ? [event.update] : []))
  }
  t.match(await updates(none, abc), [{ type: 'widget.streaming_text.value_delta', delta: 'abc' }])
  t.match(await updates(abc, a), [{ type: 'widget.root.updated', widget: { children: [{ value: 'a' }] } }])
  t.match(await updates(a, { ...abc }), [{ type: 'widget.streaming_text.value_delta', delta: 'bc' }])
  t.match(await updates(a, { ...abc, size: 'lg' }), [{ type: 'widget.root.updated' }])
  const [, other] = await all(accumulateText(['x'], Text({ id: 't', value: '', streaming: true })))
  t.match(await updates(a, other ?? none), [{ type: 'widget.root.updated', widget: { children: [{ value: 'x' }] } }])
  const below = [a, abc].map(node => Card({ children: [Transition({ children: node })] }))
  t.match((await all(streamWidget(turn, below)))[1], { update: { type: 'widget.root.updated' } })
  t.throws(() => Object.assign(a, { value: 'x' }), TypeError, 'a state cannot be changed behind its back')
})
