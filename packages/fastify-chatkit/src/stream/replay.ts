import type { StreamEvent } from '../protocol/event.ts'
import { frame } from './sse.ts'

/** UTF-16 units of a run that are remembered for a reader who comes late. */
const limit = 32 * 1024

/**
 * What a run has told so far, for a repeated request that joins it. Deltas of one text are remembered as one.
 *
 * A run that has told too much is forgotten altogether: half a stream is of no use.
 */
export class Replay {
  #events: StreamEvent[] | null = []
  #length = 0
  #frames = 0

  add(event: StreamEvent): void {
    if (!this.#events) return
    const last = this.#events.at(-1)
    const merged = last && merge(last, event)
    if (merged) {
      this.#events[this.#events.length - 1] = merged.event
      this.#length += merged.added
    } else {
      this.#events.push(event)
      this.#frames++
      this.#length += event.type === 'thread.item.updated' ? 200 : frame(event).length
    }
    if (this.#length > limit || this.#frames > 1000) this.#events = null
  }

  /** The frames so far, or `null` when they are no longer known. */
  frames(): string[] | null {
    return this.#events?.map(frame) ?? null
  }
}

function merge(last: StreamEvent, next: StreamEvent): { event: StreamEvent; added: number } | null {
  if (last.type !== 'thread.item.updated' || next.type !== 'thread.item.updated') return null
  const [before, after] = [last.update, next.update]
  if (
    before.type !== 'assistant_message.content_part.text_delta' ||
    after.type !== 'assistant_message.content_part.text_delta' ||
    last.item_id !== next.item_id ||
    before.content_index !== after.content_index
  )
    return null
  const update = { ...before, delta: before.delta + after.delta }
  return { event: { ...last, update }, added: after.delta.length }
}
