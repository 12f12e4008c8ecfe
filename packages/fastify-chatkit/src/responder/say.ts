import type { ResponderEvent } from '../protocol/event.ts'
import type { Annotation } from '../protocol/source.ts'
import type { Turn } from './responder.ts'

/**
 * The events by which an assistant says something: all at once for a string, as it comes for a stream of text.
 *
 * ```ts
 * respond: turn => say(turn, model.stream(turn.input))
 * respond: async function* (turn) { yield* say(turn, 'One moment.') }
 * ```
 *
 * @param options.id the message's id. @default a new one
 * @param options.annotations references from the text to sources.
 */
export async function* say(
  turn: Pick<Turn, 'newItemId'>,
  text: string | AsyncIterable<string> | Iterable<string>,
  options: { id?: string; annotations?: Annotation[] } = {}
): AsyncGenerator<ResponderEvent, void, undefined> {
  const { annotations = [] } = options
  const id = options.id ?? turn.newItemId('assistant_message')
  if (typeof text === 'string') {
    yield { type: 'thread.item.done', item: message(id, [{ text, annotations }]) }
    return
  }
  yield { type: 'thread.item.added', item: message(id, []) }
  yield update(id, { type: 'assistant_message.content_part.added', content_index: 0, content: { text: '' } })
  const deltas: string[] = []
  for await (const delta of text) {
    if (delta === '') continue
    deltas.push(delta)
    yield update(id, { type: 'assistant_message.content_part.text_delta', content_index: 0, delta })
  }
  for (const [annotation_index, annotation] of annotations.entries())
    yield update(id, {
      type: 'assistant_message.content_part.annotation_added',
      content_index: 0,
      annotation_index,
      annotation
    })
  const content = { text: deltas.join(''), annotations }
  yield update(id, { type: 'assistant_message.content_part.done', content_index: 0, content })
  yield { type: 'thread.item.done', item: message(id, [content]) }
}

type Update = Extract<ResponderEvent, { type: 'thread.item.updated' }>['update']

function update(item_id: string, update: Update): ResponderEvent {
  return { type: 'thread.item.updated', item_id, update }
}

function message(id: string, content: { text: string; annotations: Annotation[] }[]) {
  return {
    type: 'assistant_message' as const,
    id,
    content: content.map(part => ({ type: 'output_text' as const, ...part }))
  }
}
