import type { ResponderEvent } from '../../protocol/event.ts'
import type { OutputText } from '../../protocol/item/assistant-message.ts'
import type { Annotation } from '../../protocol/source.ts'
import type { Turn } from '../responder.ts'

type Update = Extract<ResponderEvent, { type: 'thread.item.updated' }>['update']

/** A message of several parts, told part by part, under an id of its own. */
export class Message {
  readonly #id: string
  readonly #parts: OutputText[] = []

  constructor(turn: Pick<Turn, 'newItemId'>) {
    this.#id = turn.newItemId('assistant_message')
  }

  begin(): ResponderEvent[] {
    return [{ type: 'thread.item.added', item: { type: 'assistant_message', id: this.#id, content: [] } }]
  }

  /** Begins a part, if it has not begun. */
  part(index: number, text = ''): ResponderEvent[] {
    if (this.#parts[index]) return []
    const content = { type: 'output_text' as const, text, annotations: [] }
    while (this.#parts.length < index) this.#parts.push({ type: 'output_text', text: '', annotations: [] })
    this.#parts[index] = { ...content, annotations: [] }
    return [this.#update({ type: 'assistant_message.content_part.added', content_index: index, content })]
  }

  say(index: number, delta: string): ResponderEvent[] {
    const begun = this.part(index)
    const part = this.#parts[index]
    if (part) part.text += delta
    if (delta === '') return begun
    return [...begun, this.#update({ type: 'assistant_message.content_part.text_delta', content_index: index, delta })]
  }

  annotate(index: number, annotation: Annotation): ResponderEvent[] {
    const begun = this.part(index)
    const annotations = this.#parts[index]?.annotations ?? []
    const annotation_index = annotations.push(annotation) - 1
    return [
      ...begun,
      this.#update({
        type: 'assistant_message.content_part.annotation_added',
        content_index: index,
        annotation_index,
        annotation
      })
    ]
  }

  /** Ends a part. What was cited in it stays: a front end takes this for the whole part. */
  endPart(index: number, text: string): ResponderEvent[] {
    const begun = this.part(index)
    const part = this.#parts[index]
    if (!part) return begun
    part.text = text
    const content = { ...part, annotations: [...part.annotations] }
    return [...begun, this.#update({ type: 'assistant_message.content_part.done', content_index: index, content })]
  }

  /**
   * Ends the message; one that says nothing is taken away again.
   *
   * @param parts the whole of it, where the model told that.
   */
  end(parts: OutputText[] = []): ResponderEvent[] {
    const content = parts.length > 0 ? parts : this.#parts
    if (content.every(part => part.text.trim() === '')) return [{ type: 'thread.item.removed', item_id: this.#id }]
    return [{ type: 'thread.item.done', item: { type: 'assistant_message', id: this.#id, content } }]
  }

  #update(update: Update): ResponderEvent {
    return { type: 'thread.item.updated', item_id: this.#id, update }
  }
}
