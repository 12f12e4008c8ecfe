import type { StreamEvent } from '../protocol/event.ts'
import { frame } from './sse.ts'

/** UTF-16 units of a run that are remembered for a reader who comes late. */
const limit = 32 * 1024

type TextDelta = { item_id: string; content_index: number; text: string }

/**
 * What a run has told so far, for a repeated request that joins it. Deltas of one text are remembered as one.
 *
 * A run that has told too much is forgotten altogether: half a stream is of no use.
 */
export class Replay {
  #events: (StreamEvent | TextDelta)[] | null = []
  #length = 0
  /** The text the last delta belongs to. */
  #text: TextDelta | null = null

  /** @param length of its frame. */
  add(event: StreamEvent, length: number): void {
    if (!this.#events) return
    if (event.type === 'thread.item.updated' && event.update.type === 'assistant_message.content_part.text_delta') {
      const { item_id } = event
      const { content_index, delta } = event.update
      const last = this.#text
      if (last && last.item_id === item_id && last.content_index === content_index) {
        last.text += delta
        this.#length += delta.length
      } else {
        this.#text = { item_id, content_index, text: delta }
        this.#events.push(this.#text)
        this.#length += length
      }
    } else {
      this.#text = null
      this.#events.push(event)
      // The message that is answered may be long, and is there anyway.
      if (!('item' in event) || event.item.type !== 'user_message') this.#length += length
    }
    if (this.#length > limit) {
      this.#events = null
      this.#text = null
    }
  }

  /** The frames so far, or `null` when they are no longer known. */
  frames(): string[] | null {
    return this.#events?.map(event => frame('text' in event && 'content_index' in event ? whole(event) : event)) ?? null
  }
}

function whole({ item_id, content_index, text }: TextDelta): StreamEvent {
  const type = 'assistant_message.content_part.text_delta'
  return { type: 'thread.item.updated', item_id, update: { type, content_index, delta: text } }
}
