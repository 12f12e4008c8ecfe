import t from 'tap'
import { maxWidgetDepth, stripNulls, widgetJson, widgetRoot, widgets } from '../../src/widget/index.ts'

const { Button, Card, Chart, Form, ListView, ListViewItem, Select, Text, custom } = widgets
const defaults = { handler: 'server', loadingBehavior: 'auto', streaming: true }

t.test('nulls are dropped at every level (S-4)', async t => {
  t.strictSame(stripNulls({ a: null, b: [null, { c: null, d: [undefined] }, 0, '', false], e: { f: null } }), {
    b: [{ d: [] }, 0, '', false],
    e: {}
  })
})

t.test('the copy is what JSON would make of it', async t => {
  t.strictSame(stripNulls({ at: new Date(0), n: Number.NaN, f: () => 1, u: undefined, big: 2 ** 60 }), {
    at: '1970-01-01T00:00:00.000Z',
    big: 2 ** 60
  })
  const copy = stripNulls(JSON.parse('{"__proto__":{"admin":true}}'))
  t.equal(JSON.stringify(copy), '{"__proto__":{"admin":true}}')
  t.equal(copy.admin, undefined)
})

t.test('actions are completed wherever a component has one', async t => {
  const action = { type: 'go' }
  const root = Card({
    confirm: { label: 'Ok', action: { type: 'ok', payload: { n: 1, gone: null } } },
    cancel: { label: 'No', action: { ...action, handler: 'client' } },
    children: [
      Button({ onClickAction: action }),
      Form({ onSubmitAction: action, children: [Select({ name: 's', options: [], onChangeAction: action })] }),
      custom({ type: 'Map', onClickAction: action })
    ]
  })
  const complete = { type: 'go', ...defaults }
  t.strictSame(widgetJson(root), {
    type: 'Card',
    confirm: { label: 'Ok', action: { type: 'ok', payload: { n: 1 }, ...defaults } },
    cancel: { label: 'No', action: { ...complete, handler: 'client' } },
    children: [
      { type: 'Button', onClickAction: complete },
      {
        type: 'Form',
        onSubmitAction: complete,
        children: [{ type: 'Select', name: 's', options: [], onChangeAction: complete }]
      },
      { type: 'Map', onClickAction: complete }
    ]
  })
  t.strictSame(root.children[0], { type: 'Button', onClickAction: { type: 'go' } }, 'the original stays')
  t.strictSame(
    widgetJson(ListView({ children: [ListViewItem({ onClickAction: action, children: [] })] })).children[0]
      ?.onClickAction,
    complete
  )
})

t.test('what only looks like an action is left alone', async t => {
  const payload = { onClickAction: { type: 'a' }, confirm: { action: { type: 'b' } } }
  const data = [{ onClickAction: 'x', type: 'y' }]
  const root = Card({
    children: [Button({ onClickAction: { type: 'go', payload } }), Chart({ data, series: [], xAxis: 'x' })]
  })
  const [button, chart] = widgetJson(root).children
  t.strictSame(button, { type: 'Button', onClickAction: { type: 'go', payload, ...defaults } })
  t.strictSame(chart, { type: 'Chart', data, series: [], xAxis: 'x' })
  const odd = { type: 'Card', onClickAction: 'go', confirm: 'yes', cancel: { action: 7 }, children: 'x' }
  t.strictSame(widgetJson(odd), odd)
})

t.test('the schema takes any object with a type, and children like it', async t => {
  const root = { type: 'NewRoot', novel: { a: [1] }, children: [{ type: 'New', children: { type: 'Newer', x: true } }] }
  t.strictSame(widgetRoot.parse(root), root)
  t.strictSame(
    widgetRoot.parse({ type: 'Card', id: null, children: [null, { type: 'Text', value: 'a', color: null }] }),
    {
      type: 'Card',
      children: [{ type: 'Text', value: 'a' }]
    }
  )
  t.strictSame(widgetRoot.parse(Card({ children: [Button({ onClickAction: { type: 'go' } })] })), {
    type: 'Card',
    children: [{ type: 'Button', onClickAction: { type: 'go', ...defaults } }]
  })
})

t.test('the schema says where something is wrong', async t => {
  const cases = [
    { why: 'null', value: null, path: [] },
    { why: 'a list', value: [], path: [] },
    { why: 'text', value: 'Card', path: [] },
    { why: 'no type', value: { children: [] }, path: [] },
    { why: 'a type that is no text', value: { type: 1 }, path: [] },
    { why: 'a child that is text', value: { type: 'Card', children: [{ type: 'A' }, 'B'] }, path: ['children', 1] },
    { why: 'children that are text', value: { type: 'Card', children: 'B' }, path: ['children'] },
    {
      why: 'a deep child without type',
      value: { type: 'Card', children: [{ type: 'Transition', children: { type: 'Row', children: [{}] } }] },
      path: ['children', 0, 'children', 'children', 0]
    }
  ]
  for (const { why, value, path } of cases) {
    const result = widgetRoot.safeParse(value)
    t.notOk(result.success, why)
    t.strictSame(result.error?.issues[0]?.path, path, why)
  }
})

t.test('a widget that is too deep is refused before the stack ends', async t => {
  const nested = (levels: number) => {
    let node: object = Text({ value: 'a' })
    for (let level = 0; level < levels; level++) node = { type: 'Box', children: node }
    return node
  }
  t.ok(widgetRoot.safeParse(nested(maxWidgetDepth)).success)
  t.notOk(widgetRoot.safeParse(nested(maxWidgetDepth + 1)).success)
  t.match(widgetRoot.safeParse(nested(100_000)).error?.issues, [{ message: 'A widget has at most 100 levels' }])
  const circle: { type: string; children: object[]; payload?: object } = { type: 'Box', children: [] }
  circle.children.push(circle, circle)
  t.notOk(widgetRoot.safeParse(circle).success)
  t.notOk(widgetRoot.safeParse({ type: 'Box', payload: circle }).success)
})
