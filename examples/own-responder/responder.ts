import {
  type ActionTurn,
  action,
  clientEffect,
  progress,
  type ResponderEvent,
  say,
  streamWidget,
  type Turn,
  widgets
} from 'fastify-chatkit'

/** Where an answer comes from: a model, a search, a colleague. It stops when `signal` aborts. */
export type Source = (question: string, signal: AbortSignal) => AsyncIterable<string>

const { Badge, Button, Card, Row, Text } = widgets

/** The parcel of an order, as a widget. */
function parcelCard(order: string, state: 'on its way' | 'stopped') {
  return Card({
    children: [
      Row({ children: [Text({ value: `Order ${order}` }), Badge({ label: state })] }),
      state === 'on its way' &&
        Button({ label: 'Stop it', onClickAction: action({ type: 'parcel.stop', payload: { order } }) })
    ]
  })
}

/** Answers a message: what is going on, then text as it comes, then a widget where an order is named. */
export function respondFrom(source: Source) {
  return async function* respond(turn: Turn): AsyncGenerator<ResponderEvent> {
    const question = turn.input?.content.map(part => part.text).join('') ?? ''
    yield progress('Looking it up', 'search')
    // Saved with the thread, and told to the reader after the next event.
    turn.thread.title ??= question.slice(0, 40)

    yield* say(turn, source(question, turn.signal))

    const order = /\b\d{4,}\b/.exec(question)?.[0]
    if (order !== undefined) yield* streamWidget(turn, parcelCard(order, 'on its way'))
  }
}

/** Answers a button of the widget: puts the parcel's new state in the place of the old one. */
export async function* act(turn: ActionTurn): AsyncGenerator<ResponderEvent> {
  const { payload } = turn.action
  const order = typeof payload === 'object' && payload !== null && 'order' in payload ? String(payload.order) : null
  if (turn.action.type !== 'parcel.stop' || order === null || turn.sender === null) return
  yield { type: 'thread.item.replaced', item: { ...turn.sender, widget: parcelCard(order, 'stopped') } }
  yield clientEffect('parcel_stopped', { order })
}
