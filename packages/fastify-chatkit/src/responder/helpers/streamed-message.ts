import type { ResponderEvent } from '../../protocol/event.ts'
import type { Annotation } from '../../protocol/source.ts'
import type { Turn } from '../responder.ts'

type AnnotationDraft = Omit<Annotation, 'type'>

/**
 * One message of an assistant, put together from what a model sends, with an id of its own.
 *
 * It begins with the first character that can be seen: models like to send empty lines before they call a tool.
 */
export class StreamedMessage {
  readonly #id: string
  #held = ''
  #text = ''
  #begun = false
  readonly #annotations: Annotation[] = []

  constructor(turn: Pick<Turn, 'newItemId'>) {
    this.#id = turn.newItemId('assistant_message')
  }

  /** What was said, as the reader has it. */
  get text(): string {
    return this.#text
  }

  say(delta: string): ResponderEvent[] {
    if (delta === '') return []
    if (this.#begun) {
      this.#text += delta
      return [this.#delta(delta)]
    }
    this.#held += delta
    if (this.#held.trim() === '') return []
    const whole = this.#held.trimStart()
    this.#text = whole
    return [...this.#begin(), this.#delta(whole)]
  }

  /** Refers to a source, at the end of the text so far unless `index` says where. */
  annotate(annotation: AnnotationDraft): ResponderEvent[] {
    const begin = this.#begun ? [] : this.#begin()
    const annotation_index = this.#annotations.length
    const whole: Annotation = { type: 'annotation', ...annotation }
    this.#annotations.push(whole)
    return [
      ...begin,
      {
        type: 'thread.item.updated',
        item_id: this.#id,
        update: {
          type: 'assistant_message.content_part.annotation_added',
          content_index: 0,
          annotation_index,
          annotation: whole
        }
      }
    ]
  }

  /** Nothing when nothing was said. */
  end(): ResponderEvent[] {
    if (!this.#begun) return []
    const content = { type: 'output_text' as const, text: this.#text, annotations: [...this.#annotations] }
    return [
      {
        type: 'thread.item.updated',
        item_id: this.#id,
        update: { type: 'assistant_message.content_part.done', content_index: 0, content }
      },
      { type: 'thread.item.done', item: { type: 'assistant_message', id: this.#id, content: [content] } }
    ]
  }

  #begin(): ResponderEvent[] {
    this.#begun = true
    return [
      { type: 'thread.item.added', item: { type: 'assistant_message', id: this.#id, content: [] } },
      {
        type: 'thread.item.updated',
        item_id: this.#id,
        update: { type: 'assistant_message.content_part.added', content_index: 0, content: { text: '' } }
      }
    ]
  }

  #delta(delta: string): ResponderEvent {
    return {
      type: 'thread.item.updated',
      item_id: this.#id,
      update: { type: 'assistant_message.content_part.text_delta', content_index: 0, delta }
    }
  }
}
