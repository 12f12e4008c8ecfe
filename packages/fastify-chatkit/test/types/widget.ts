import { accumulateText, action, widgets } from '../../src/widget/index.ts'

const {
  Badge,
  Basic,
  Box,
  Button,
  Caption,
  Card,
  Chart,
  Checkbox,
  Col,
  DatePicker,
  Divider,
  Form,
  Icon,
  Image,
  Input,
  Label,
  ListView,
  ListViewItem,
  Markdown,
  RadioGroup,
  Row,
  Select,
  Spacer,
  Table,
  TableCell,
  TableRow,
  Text,
  Textarea,
  Title,
  Transition,
  custom
} = widgets

declare const late: boolean

// What is right.
Card({
  size: 'md',
  theme: 'dark',
  border: { x: 1, top: { size: 2, color: { light: 'red-100', dark: '#f00' }, style: 'dashed' } },
  status: { text: 'On its way', icon: 'lucide:truck' },
  confirm: { label: 'Ok', action: action({ type: 'ok', payload: { id: 7 } }) },
  children: [
    Title({ value: 'Order', size: '5xl' }),
    late && Badge({ label: 'late', color: 'danger' }),
    late ? Caption({ value: 'sorry' }) : null,
    undefined,
    Row({ gap: 2, align: 'baseline', children: [Icon({ name: 'star' }), Spacer(), Icon({ name: 'vendor:logo' })] }),
    Transition({ children: late && Text({ value: 'x' }) }),
    Divider(),
    custom({ type: 'Map', zoom: 3 }),
    { type: 'Text', value: 'a plain object will do', editable: { name: 'note' } }
  ]
})
ListView({
  limit: 'auto',
  children: [ListViewItem({ children: [Text({ value: 'a' })] }), late && ListViewItem({ children: [] })]
})
Basic({ children: [Card({ children: [] }), Text({ value: 'a' })] })
Form({
  onSubmitAction: { type: 'save' },
  children: [Input({ name: 'mail', inputType: 'email' }), Textarea({ name: 'note', rows: 3 })]
})
Form({
  children: [
    Label({ value: 'Size', fieldName: 'size' }),
    Checkbox({ name: 'gift' }),
    DatePicker({ name: 'day', side: 'top' })
  ]
})
Select({ name: 'size', options: [{ value: 's', label: 'S', description: 'small', disabled: true }], searchable: true })
RadioGroup({ name: 'colour', options: [{ value: 'r', label: 'Red' }], direction: 'row' })
Table({
  children: [TableRow({ header: true, children: [TableCell({ colSpan: 2, children: [Text({ value: 'a' })] })] })]
})
Chart({
  data: [{ day: 'Mo', sold: 3 }],
  series: [
    { type: 'bar', dataKey: 'sold', stack: 'a' },
    { type: 'line', dataKey: 'sold', curveType: 'monotone' }
  ],
  xAxis: { dataKey: 'day', labels: { Mo: 'Monday' } }
})
Image({ src: 'https://example.com/a.png', fit: 'cover', position: 'top left', radius: '2xl', aspectRatio: 16 / 9 })
Col({ children: [Box({ direction: 'row', padding: { x: 2 } }), Markdown({ value: '*a*', id: 'm', streaming: true })] })

const card: widgets.Card = Card({ children: [] })
const root: widgets.AnyRoot = card
export const component: widgets.AnyComponent = Button({ label: 'Go', iconStart: 'plus' })
export const literal: 'Card' = card.type
export const exported = root
export const named: string = Text({ id: 't', value: '' }).id
accumulateText([], Text({ id: 't', value: '', streaming: true }))
accumulateText([], Markdown({ id: 't', value: '' }))

// What is missing.
// @ts-expect-error a card has children
Card({})
// @ts-expect-error a text has a value
Text({ id: 't' })
// @ts-expect-error a badge has a label
Badge()
// @ts-expect-error a label names its field
Label({ value: 'a' })
// @ts-expect-error a control has a name
Input({ placeholder: 'a' })
// @ts-expect-error a select has options
Select({ name: 'a' })
// @ts-expect-error an option has a label
Select({ name: 'a', options: [{ value: 'a' }] })
// @ts-expect-error a chart has an x axis
Chart({ data: [], series: [] })
// @ts-expect-error an image has a source
Image({ alt: 'a' })
// @ts-expect-error an icon has a name
Icon({ size: 'md' })
// @ts-expect-error editable text has a name
Text({ value: 'a', editable: { required: true } })
// @ts-expect-error an action has a type
Button({ onClickAction: { payload: {} } })
// @ts-expect-error a footer button has a label
Card({ children: [], confirm: { action: { type: 'a' } } })

// What does not exist.
// @ts-expect-error no such prop
Text({ value: 'a', italics: true })
// @ts-expect-error no such prop
Title({ value: 'a', streaming: true })
// @ts-expect-error no such prop on a row
Row({ direction: 'col' })
// @ts-expect-error no such prop on a plain object either
Card({ children: [{ type: 'Text', value: 'a', italics: true }] })
// @ts-expect-error no such component
Card({ children: [{ type: 'Texts', value: 'a' }] })
// @ts-expect-error a text area has no pill
Textarea({ name: 'a', pill: true })
// @ts-expect-error a line cannot be stacked
Chart({ data: [], series: [{ type: 'line', dataKey: 'a', stack: 'b' }], xAxis: 'c' })
// @ts-expect-error the type is the builder's business
Divider({ type: 'Divider' })
// @ts-expect-error `true` is no child
Row({ children: [true] })
// @ts-expect-error text is no child
Row({ children: ['a'] })
// @ts-expect-error a status has a picture or an icon
Card({ children: [], status: { text: 'a', icon: 'bolt', favicon: 'https://example.com' } })

// @ts-expect-error no such prop, with an id too
Text({ id: 't', value: 'a', italics: true })
// @ts-expect-error no such size, with an id too
Title({ id: 't', value: 'a', size: 'xs' })
// @ts-expect-error text without an id cannot be named
accumulateText([], Text({ value: '' }))
// @ts-expect-error a title does not grow
accumulateText([], Title({ id: 't', value: '' }))

// What has another value.
// @ts-expect-error no such size
Title({ value: 'a', size: 'xs' })
// @ts-expect-error no such size
Text({ value: 'a', size: '2xl' })
// @ts-expect-error no such colour of a badge
Badge({ label: 'a', color: 'caution' })
// @ts-expect-error no such alignment
Row({ align: 'middle' })
// @ts-expect-error no such icon
Icon({ name: 'truck' })
// @ts-expect-error a badge has no ghost
Badge({ label: 'a', variant: 'ghost' })
// @ts-expect-error an input is soft or outlined
Input({ name: 'a', variant: 'solid' })
// @ts-expect-error text cannot be made editable by `true`
Text({ value: 'a', editable: true })
// @ts-expect-error a limit is a number or `auto`
ListView({ children: [], limit: 'all' })
// @ts-expect-error no such handler
action({ type: 'a', handler: 'page' })
// @ts-expect-error no such curve
Chart({ data: [], series: [{ type: 'area', dataKey: 'a', curveType: 'round' }], xAxis: 'c' })
// @ts-expect-error a padding of a cell has sides
TableCell({ padding: 2 })

// What stands in the wrong place.
// @ts-expect-error a list has only its items
ListView({ children: [Text({ value: 'a' })] })
// @ts-expect-error an item stands only in a list
Card({ children: [ListViewItem({ children: [] })] })
// @ts-expect-error a card stands on its own, or in a `Basic`
Row({ children: [Card({ children: [] })] })
// @ts-expect-error a transition has one child
Transition({ children: [Text({ value: 'a' })] })
// @ts-expect-error a row stands only in a table
Card({ children: [TableRow()] })
// @ts-expect-error a table has only rows
Table({ children: [TableCell()] })
// @ts-expect-error a row is no widget of its own
export const wrongRoot: widgets.AnyRoot = Row()
