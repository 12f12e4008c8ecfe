import fc from 'fast-check'
import t from 'tap'
import { diffWidget, type WidgetUpdate, widgets } from '../../src/widget/index.ts'
import { applyUpdate, type Part, parts } from './fixtures/apply-update.ts'

const { Basic, Card, Col, Divider, Markdown, Text, Title, Transition, custom } = widgets

t.test('equal states need no update', async t => {
  const state = () => Card({ id: 'c', children: [Text({ id: 't', value: 'a' }), Divider()] })
  t.strictSame(diffWidget(state(), state()), [])
  t.strictSame(diffWidget({ ...state(), key: undefined }, state()), [], 'undefined is the same as absent')
})

t.test('text that grows goes out alone (D-2)', async t => {
  const before = Card({
    children: [
      Text({ id: 't', value: 'Hel', streaming: true }),
      Col({ children: [Markdown({ id: 'm', value: '' }), Text({ id: 'u', value: 'same' })] })
    ]
  })
  const after = Card({
    children: [
      Text({ id: 't', value: 'Hello', streaming: true }),
      Col({ children: [Markdown({ id: 'm', value: '*x*' }), Text({ id: 'u', value: 'same' })] })
    ]
  })
  t.strictSame(diffWidget(before, after), [
    { type: 'widget.streaming_text.value_delta', component_id: 't', delta: 'lo', done: false },
    { type: 'widget.streaming_text.value_delta', component_id: 'm', delta: '*x*', done: true }
  ])
})

t.test('anything else replaces the whole widget (D-1)', async t => {
  const text = Text({ id: 't', value: 'a' })
  const before = Card({ children: [text] })
  const cases = [
    { why: 'text that is another', after: Card({ children: [Text({ id: 't', value: 'b' })] }) },
    { why: 'another id', after: Card({ children: [Text({ id: 'u', value: 'ab' })] }) },
    { why: 'another key', after: Card({ children: [Text({ id: 't', key: 'k', value: 'ab' })] }) },
    { why: 'another type', after: Card({ children: [Markdown({ id: 't', value: 'ab' })] }) },
    { why: 'a title that grows', after: Card({ children: [Title({ id: 't', value: 'ab' })] }) },
    { why: 'a prop that changes', after: Card({ children: [Text({ id: 't', value: 'ab', streaming: false })] }) },
    { why: 'a prop that is new', after: Card({ size: 'sm', children: [text] }) },
    { why: 'one child more', after: Card({ children: [text, Divider()] }) },
    { why: 'one child less', after: Card({ children: [] }) },
    { why: 'children that were a list', after: custom({ type: 'Card', children: text }) },
    { why: 'another root', after: Basic({ children: [text] }) }
  ]
  for (const { why, after } of cases) {
    t.strictSame(diffWidget(before, after), [{ type: 'widget.root.updated', widget: after }], why)
    t.strictSame(diffWidget(after, before), [{ type: 'widget.root.updated', widget: before }], `${why}, backwards`)
  }
  const shorter = Card({ children: [Text({ id: 't', value: '' })] })
  t.strictSame(diffWidget(before, shorter), [{ type: 'widget.root.updated', widget: shorter }], 'text that shrinks')
})

t.test('growing text no update can name replaces the whole widget (D-3)', async t => {
  const cases = [
    { why: 'it has no id', state: (value: string) => Card({ children: [Text({ value })] }) },
    { why: 'its id is empty', state: (value: string) => Card({ children: [Text({ id: '', value })] }) },
    {
      why: 'it is below a single child',
      state: (value: string) => Card({ children: [Transition({ children: Text({ id: 't', value }) })] })
    },
    {
      why: 'it is in a list below a single child',
      state: (value: string) =>
        Card({ children: [Transition({ children: Col({ children: [Text({ id: 't', value })] }) })] })
    },
    {
      why: 'another text has its id',
      state: (value: string) => Card({ children: [Text({ id: 't', value }), Text({ id: 't', value: 'b' })] })
    },
    {
      why: 'the widget itself has its id',
      state: (value: string) => Card({ id: 't', children: [Text({ id: 't', value })] })
    },
    {
      why: 'it is not among the children',
      state: (value: string) => custom({ type: 'Card', header: Text({ id: 't', value }) })
    },
    {
      why: 'one of two can be named',
      state: (value: string) => Card({ children: [Text({ id: 't', value }), Text({ value })] })
    }
  ]
  for (const { why, state } of cases)
    t.strictSame(diffWidget(state('a'), state('ab')), [{ type: 'widget.root.updated', widget: state('ab') }], why)
})

t.test('an update names only what was there before and was extended (D-4)', async t => {
  fc.assert(
    fc.property(tree(), tree(), (before, after) => {
      for (const update of diffWidget(before, after)) {
        if (update.type !== 'widget.streaming_text.value_delta') continue
        const [from, to] = [before, after].map(root => parts(root).filter(({ id }) => id === update.component_id))
        t.equal(from?.length, 1)
        t.equal(`${from?.[0]?.value}${update.delta}`, to?.[0]?.value)
      }
    })
  )
})

t.test('the updates, applied to what was before, give what is after; none replaces one component (D-5)', async t => {
  const seen = new Set<string>()
  const check = (before: Part, after: Part) => {
    const updates = diffWidget(before, after)
    for (const { type } of updates) seen.add(type)
    t.strictSame(updates.reduce(applyUpdate, before), after)
  }
  fc.assert(fc.property(tree(), tree(), check))
  fc.assert(fc.property(grownTree(), ([before, after]) => check(before, after)))
  fc.assert(fc.property(grownTree({ nameable: true }), ([before, after]) => check(before, after)))
  fc.assert(fc.property(tree(), root => check(root, structuredClone(root))))
  t.strictSame([...seen].sort(), ['widget.root.updated', 'widget.streaming_text.value_delta'])
})

t.test('text that grows in nameable places never replaces the widget', async t => {
  fc.assert(
    fc.property(grownTree({ nameable: true }), ([before, after]) => {
      const updates: WidgetUpdate[] = diffWidget(before, after)
      const grown = parts(after).filter((part, at) => part.value !== parts(before)[at]?.value)
      t.strictSame(
        updates.map(update => update.type === 'widget.streaming_text.value_delta' && update.component_id),
        grown.map(({ id }) => id)
      )
    })
  )
})

/** A random widget. Ids are few, so that some are taken twice. */
function tree(): fc.Arbitrary<Part> {
  const id = fc.option(fc.constantFrom('a', 'b', 'c', 'd', ''), { nil: undefined })
  const value = fc.string({ maxLength: 3, unit: fc.constantFrom('x', 'y', '\u{1F600}') })
  const { part } = fc.letrec<{ part: Part }>(tie => ({
    part: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.record({ type: fc.constantFrom('Text', 'Markdown', 'Title'), id, value }, { requiredKeys: ['type', 'value'] }),
      fc.record({ type: fc.constant('Transition'), children: tie('part') }),
      fc.record({ type: fc.constant('Row'), id, gap: fc.nat(1), children: fc.array(tie('part'), { maxLength: 3 }) })
    )
  }))
  return fc.array(part, { maxLength: 4 }).map(children => withoutUndefined({ type: 'Card', children }))
}

/** A random widget before and after some of its text has grown. */
function grownTree({ nameable = false } = {}): fc.Arbitrary<[Part, Part]> {
  return fc
    .tuple(tree(), fc.infiniteStream(fc.constantFrom('', '', 'x', '\n"', '\u{1F600}')))
    .map(([root, deltas]): [Part, Part] => {
      const before = nameable ? nameAll(root) : root
      const after = structuredClone(before)
      for (const part of parts(after))
        if (part.type === 'Text' || part.type === 'Markdown') part.value += String(deltas.next().value)
      return [before, after]
    })
}

function nameAll(root: Part): Part {
  const copy = structuredClone(root)
  for (const [at, part] of parts(copy).entries()) {
    part.id = `n${at}`
    if (part.type === 'Transition') Object.assign(part, { type: 'Row', children: [part.children].flat() })
  }
  return copy
}

function withoutUndefined(part: Part): Part {
  return JSON.parse(JSON.stringify(part))
}
