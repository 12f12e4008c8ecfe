import type { ResponderEvent } from '../protocol/event.ts'
import type { WidgetRoot } from '../protocol/widget.ts'
import type { Turn } from '../responder/responder.ts'
import { diffWidget } from './diff.ts'
import { widgetJson } from './json.ts'

/** What `streamWidget` can be told besides the widget. */
export interface StreamWidgetOptions {
  /** The item's id. @default a new one */
  id?: string
  /** What the reader gets who copies the widget. @default nothing can be copied */
  copyText?: string
}

/**
 * The events by which a widget is shown: at once for one widget, as it changes for a stream of its states.
 *
 * ```ts
 * respond: turn => streamWidget(turn, Card({ children: [Text({ value: 'Hello' })] }))
 * ```
 *
 * A state may be the object of the state before, changed in place. A stream that ends without a state shows nothing; one
 * that fails leaves the item unfinished, and the error goes on to the caller.
 *
 * @throws TypeError a state has more than `maxWidgetDepth` levels.
 */
export async function* streamWidget(
  turn: Pick<Turn, 'newItemId'>,
  widget: WidgetRoot | AsyncIterable<WidgetRoot> | Iterable<WidgetRoot>,
  options: StreamWidgetOptions = {}
): AsyncGenerator<ResponderEvent, void, undefined> {
  const id = options.id ?? turn.newItemId('widget')
  const item = (root: WidgetRoot) => ({
    type: 'widget' as const,
    id,
    widget: root,
    ...(options.copyText === undefined ? {} : { copy_text: options.copyText })
  })
  if (!isStream(widget)) {
    yield { type: 'thread.item.done', item: item(widgetJson(widget)) }
    return
  }
  let last: WidgetRoot | undefined
  for await (const state of widget) {
    const next = widgetJson(state)
    if (!last) yield { type: 'thread.item.added', item: item(next) }
    else for (const update of diffWidget(last, next)) yield { type: 'thread.item.updated', item_id: id, update }
    last = next
  }
  if (last) yield { type: 'thread.item.done', item: item(last) }
}

function isStream(
  widget: WidgetRoot | AsyncIterable<WidgetRoot> | Iterable<WidgetRoot>
): widget is AsyncIterable<WidgetRoot> | Iterable<WidgetRoot> {
  return Symbol.asyncIterator in widget || Symbol.iterator in widget
}
