import t from 'tap'
import { action, widgetJson, widgets } from '../../src/widget/index.ts'
import * as kinds from '../../src/widget/kinds.ts'

const { Badge, Button, Card, Divider, ListView, ListViewItem, Row, Spacer, Text, Transition, custom } = widgets

t.test('a component is a plain object with its type', async t => {
  t.equal(
    JSON.stringify(
      Card({ id: 'c', size: 'md', children: [Text({ value: 'hi', id: 't', streaming: true }), Divider()] })
    ),
    '{"type":"Card","id":"c","size":"md","children":[{"type":"Text","value":"hi","id":"t","streaming":true},{"type":"Divider"}]}'
  )
  t.strictSame(Spacer(), { type: 'Spacer' })
  t.strictSame(Row(), { type: 'Row' })
})

t.test('children that are absent leave no gap', async t => {
  const late = Boolean('')
  t.strictSame(Card({ children: [late && Badge({ label: 'late' }), null, undefined, Divider()] }), {
    type: 'Card',
    children: [{ type: 'Divider' }]
  })
  t.strictSame(ListView({ children: [late && ListViewItem({ children: [] })] }), { type: 'ListView', children: [] })
})

t.test('a transition without a child has no children (S-4)', async t => {
  t.strictSame(Transition(), { type: 'Transition' })
  t.strictSame(Transition({ children: Boolean('') && Divider() }), { type: 'Transition' })
  t.strictSame(widgetJson(custom({ type: 'Transition', children: null })), { type: 'Transition' })
  t.strictSame(Transition({ children: Divider() }), { type: 'Transition', children: { type: 'Divider' } })
})

t.test('props that are undefined are left out, and those that are false stay', async t => {
  t.strictSame(Button({ label: undefined, disabled: false, size: undefined }), { type: 'Button', disabled: false })
})

t.test('a builder does not change what it was given', async t => {
  const children = Object.freeze([null, Divider()])
  const props = Object.freeze({ children })
  t.strictSame(Card(props).children, [{ type: 'Divider' }])
})

t.test('components nobody knows pass through', async t => {
  t.strictSame(Card({ children: [custom({ type: 'Map', zoom: 3 })] }).children, [{ type: 'Map', zoom: 3 }])
})

t.test('every component is made under the name of its type', async t => {
  for (const [name, build] of Object.entries(kinds)) t.equal(build.type.replace('.', ''), name)
  t.equal(widgets.componentTypes.length, 30)
  t.strictSame(
    Object.values(kinds)
      .filter(({ place }) => place === 'root')
      .map(({ type }) => type)
      .sort(),
    ['Basic', 'Card', 'ListView']
  )
})

t.test('an action carries its defaults', async t => {
  t.equal(
    JSON.stringify(action({ type: 'go' })),
    '{"type":"go","handler":"server","loadingBehavior":"auto","streaming":true}'
  )
  t.equal(
    JSON.stringify(
      action({ type: 'go', payload: { n: 1 }, handler: 'client', loadingBehavior: 'self', streaming: false })
    ),
    '{"type":"go","payload":{"n":1},"handler":"client","loadingBehavior":"self","streaming":false}'
  )
  t.equal(
    JSON.stringify(action({ type: 'go', payload: null })),
    '{"type":"go","handler":"server","loadingBehavior":"auto","streaming":true}'
  )
  t.strictSame(action({ type: 'go', payload: 0 }).payload, 0)
})
