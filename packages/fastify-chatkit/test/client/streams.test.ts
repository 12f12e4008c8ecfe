import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { StreamEvent, ThreadItem } from 'fastify-chatkit'
import {
  applyEvent,
  beginTurn,
  EventDataParser,
  emptyView,
  endTurn,
  viewOf,
  withoutAfter
} from 'fastify-chatkit/client'
import t from 'tap'
import { itemKind } from '../../src/protocol/item/registry.ts'
import { frame, heartbeat } from '../../src/stream/sse.ts'

const encoder = new TextEncoder()
const folder = new URL('../recordings/', import.meta.url)

/** Every stream that was recorded from the reference server. */
const recorded = readdirSync(folder)
  .filter(name => name.endsWith('.json'))
  .flatMap(name => {
    const { steps } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { steps: Step[] }
    return steps.flatMap(({ expect }, step) =>
      expect?.events?.length
        ? [{ name: `${name} ${step}`, events: expect.events, text: expect.bytes ?? expect.events.map(frame).join('') }]
        : []
    )
  })
type Step = { expect?: { events?: StreamEvent[]; bytes?: string } }

/** What a parser makes of bytes that come in these pieces. */
function read(...pieces: Uint8Array[]) {
  const parser = new EventDataParser()
  const messages = pieces.flatMap(piece => parser.push(piece))
  return { messages, cutOff: parser.end() }
}

t.test('a recorded stream reads the same wherever it is cut', async t => {
  t.ok(recorded.length > 80, `${recorded.length} streams`)
  for (const { name, events, text } of recorded) {
    const bytes = encoder.encode(text)
    const whole = { messages: events.map(event => JSON.stringify(event)), cutOff: false }
    const { messages, cutOff } = read(bytes)
    t.strictSame({ messages: messages.map(one => JSON.stringify(JSON.parse(one))), cutOff }, whole, name)
    t.strictSame(read(...Array.from(bytes, byte => Uint8Array.of(byte))).messages, messages, `${name}, byte by byte`)
    if (bytes.length > 2000) continue
    const wrong = Array.from(bytes.keys()).filter(cut => {
      const found = read(bytes.subarray(0, cut), bytes.subarray(cut))
      return found.cutOff || found.messages.join('\n') !== messages.join('\n')
    })
    t.strictSame(wrong, [], `${name}, in two pieces`)
  }
})

t.test('line ends, comments, and data of several lines', async t => {
  const line = fc.string({ unit: 'grapheme', maxLength: 8 }).map(text => text.replace(/[\r\n]/g, ''))
  const message = fc.array(line, { minLength: 1, maxLength: 3 }).filter(lines => lines.join('\n') !== '')
  const property = fc.property(
    fc.array(message, { maxLength: 5 }),
    fc.constantFrom('\n', '\r', '\r\n'),
    fc.array(fc.nat(), { maxLength: 12 }),
    fc.boolean(),
    (lists, newline, cuts, noise) => {
      const text = lists
        .map(lines => {
          const data = lines
            .map(one => `data: ${one}${newline}`)
            .join(newline === '\r' ? '' : noise ? `:hb${newline}` : '')
          return `${noise ? `${heartbeat}: x${newline}${newline}event: thing${newline}id: 7${newline}` : ''}${data}${newline}`
        })
        .join('')
      const bytes = encoder.encode(noise ? `\uFEFF${text}` : text)
      const places = [0, ...cuts.map(cut => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
      const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
      t.strictSame(read(...pieces), { messages: lists.map(lines => lines.join('\n')), cutOff: false })
    }
  )
  fc.assert(property, { numRuns: 300 })
})

t.test('what a stream may end with', async t => {
  for (const [text, cutOff] of [
    ['', false],
    ['data: {}\n\n', false],
    ['data: {}\n\n: hb', false],
    ['data: {}\n\n: hb\n', false],
    ['data: {}\n', true],
    ['data: {', true],
    ['data: {}\n\ndat', true]
  ] as const)
    t.equal(read(encoder.encode(text)).cutOff, cutOff, JSON.stringify(text))
  t.strictSame(read(encoder.encode('data\n\ndata:\n\n\n\n')).messages, [], 'a message without data is none')
})

t.test('updates are folded in as the server folds them', async t => {
  let folded = 0
  for (const { name, events } of recorded) {
    const before = JSON.stringify(events)
    const begun = new Map<string, ThreadItem>()
    let view = emptyView
    for (const event of events) {
      const shared = view
      const copy = JSON.stringify(view)
      view = applyEvent(view, event)
      t.equal(JSON.stringify(shared), copy, `${name}: the old view is left as it was`)
      if (event.type === 'thread.item.added') begun.set(event.item.id, structuredClone(event.item))
      if (event.type !== 'thread.item.updated') continue
      const item = begun.get(event.item_id)
      const kind = item && itemKind(item.type)
      if (!item || !kind?.takes(event.update.type)) continue
      kind.fold(item, structuredClone(event.update))
      folded += 1
      t.strictSame(
        view.items.find(({ id }) => id === event.item_id),
        item,
        `${name}: ${event.update.type}`
      )
    }
    t.equal(JSON.stringify(events), before, `${name}: events are left as they were`)
    const types = view.items.map(({ type }) => type).join(' ')
    t.notMatch(types, /hidden_context/, `${name}: nothing hidden is shown`)
  }
  t.ok(folded > 25, `${folded} updates`)
})

const base = { thread_id: 'thr_1', created_at: '2026-11-20T18:27:10.280Z' }
const thread = {
  id: 'thr_1',
  created_at: base.created_at,
  status: { type: 'active' as const },
  metadata: {},
  items: { data: [], has_more: false }
}
const text = (value: string) => ({ type: 'output_text' as const, text: value, annotations: [] })
const user = (id: string): ThreadItem => ({
  ...base,
  id,
  type: 'user_message',
  content: [{ type: 'input_text', text: id }],
  attachments: [],
  inference_options: {}
})
const answer = (id: string, value = id): ThreadItem => ({
  ...base,
  id,
  type: 'assistant_message',
  content: value ? [text(value)] : []
})
const fold = (...events: StreamEvent[]) => events.reduce(applyEvent, viewOf(thread, [user('u1'), answer('a1')]))
const ids = ({ items }: { items: readonly ThreadItem[] }) => items.map(({ id }) => id)

t.test('items come, change places with themselves, and go', async t => {
  t.strictSame(ids(fold({ type: 'thread.item.done', item: user('u2') })), ['u1', 'a1', 'u2'])
  const replaced = fold({ type: 'thread.item.replaced', item: answer('u1', 'other') })
  t.match(replaced.items[0], { id: 'u1', type: 'assistant_message' }, 'in its place')
  t.strictSame(ids(fold({ type: 'thread.item.replaced', item: answer('new') })), ['u1', 'a1', 'new'])
  t.strictSame(ids(fold({ type: 'thread.item.removed', item_id: 'u1' })), ['a1'])
  t.strictSame(ids(fold({ type: 'thread.item.removed', item_id: 'nobody' })), ['u1', 'a1'])
  const begun = fold({ type: 'thread.item.added', item: answer('a2', '') })
  t.strictSame(begun.unfinished, ['a2'])
  t.strictSame(applyEvent(begun, { type: 'thread.item.done', item: answer('a2') }).unfinished, [])
})

t.test('an update to what is done already is folded in as well', async t => {
  const card = { ...base, id: 'w1', type: 'widget' as const, widget: { type: 'Card', children: [] } }
  const view = fold(
    { type: 'thread.item.done', item: card },
    { type: 'thread.item.updated', item_id: 'w1', update: { type: 'widget.root.updated', widget: { type: 'Basic' } } }
  )
  t.match(view.items.at(-1), { widget: { type: 'Basic' } })
})

t.test('what nobody knows yet changes nothing', async t => {
  const view = fold()
  for (const event of [
    { type: 'thread.item.sung', item_id: 'a1' },
    { type: 'client_effect', name: 'confetti', data: {} },
    { type: 'thread.item.updated', item_id: 'nobody', update: { type: 'widget.root.updated', widget: { type: 'X' } } },
    { type: 'thread.item.updated', item_id: 'a1', update: { type: 'assistant_message.content_part.hummed' } },
    { type: 'thread.item.updated', item_id: 'a1', update: { type: 'workflow.task.added', task_index: 0, task: {} } }
  ])
    t.strictSame(applyEvent(view, event as unknown as StreamEvent), view, event.type)
})

t.test('what is said in passing', async t => {
  const said = fold(
    { type: 'progress_update', text: 'Looking it up', icon: 'search' },
    { type: 'notice', level: 'warning', message: 'Slow today' },
    { type: 'stream_options', stream_options: { allow_cancel: false } }
  )
  t.match(said, {
    progress: { text: 'Looking it up', icon: 'search' },
    notices: [{ level: 'warning' }],
    allowCancel: false
  })
  t.equal(
    applyEvent(said, { type: 'thread.item.added', item: answer('a2', '') }).progress,
    null,
    'over with the next item'
  )
  const failed = applyEvent(said, { type: 'error', code: 'custom', message: 'Sorry', allow_retry: true })
  t.match(failed, { progress: null, error: { message: 'Sorry', allow_retry: true } })
  t.match(endTurn(failed), { progress: null, error: { message: 'Sorry' }, notices: [{}], allowCancel: true })
  t.match(beginTurn(failed), { error: null, notices: [], thread: { id: 'thr_1' } })
})

t.test('the end of a turn that was cut off keeps what the server keeps', async t => {
  const delta = (item_id: string, value: string): StreamEvent => ({
    type: 'thread.item.updated',
    item_id,
    update: { type: 'assistant_message.content_part.text_delta', content_index: 1, delta: value }
  })
  const workflow = {
    ...base,
    id: 'wf',
    type: 'workflow' as const,
    workflow: { type: 'custom' as const, tasks: [], expanded: false }
  }
  const view = fold(
    { type: 'thread.item.added', item: workflow },
    { type: 'thread.item.added', item: answer('blank', '') },
    delta('blank', ' \n'),
    { type: 'thread.item.added', item: answer('half', '') },
    delta('half', 'Hel')
  )
  t.strictSame(ids(view), ['u1', 'a1', 'wf', 'blank', 'half'])
  const over = endTurn(view)
  t.strictSame(ids(over), ['u1', 'a1', 'half'])
  t.strictSame(over.unfinished, [])
  t.match(over.items.at(-1), { content: [text(''), text('Hel')] }, 'the part that was skipped is empty')
})

t.test('a retry begins by forgetting what came after', async t => {
  t.strictSame(ids(withoutAfter(fold({ type: 'thread.item.done', item: user('u2') }), 'u1')), ['u1'])
  t.strictSame(ids(withoutAfter(fold(), 'nobody')), ['u1', 'a1'])
})
