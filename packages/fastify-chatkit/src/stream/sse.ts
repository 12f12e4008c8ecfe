import type { StreamEvent } from '../protocol/event.ts'

/** An event as it goes over the wire: one `data:` line of compact JSON, then an empty line (WHATWG HTML §9.2). */
export function frame(event: StreamEvent): string {
  return `data: ${JSON.stringify(event)}\n\n`
}

/**
 * Frames of one run. Text deltas are most of any stream: all of such a frame but its text is the same as in the one before.
 */
export class Framer {
  #itemId = ''
  #index = -1
  #prefix = ''

  frame(event: StreamEvent): string {
    if (event.type !== 'thread.item.updated') return frame(event)
    const { update } = event
    if (update.type !== 'assistant_message.content_part.text_delta') return frame(event)
    if (event.item_id !== this.#itemId || update.content_index !== this.#index) {
      this.#itemId = event.item_id
      this.#index = update.content_index
      this.#prefix = `data: {"type":"thread.item.updated","item_id":${JSON.stringify(event.item_id)},"update":{"type":"assistant_message.content_part.text_delta","content_index":${update.content_index},"delta":`
    }
    return `${this.#prefix}${JSON.stringify(update.delta)}}}\n\n`
  }
}

/**
 * A comment that keeps the connection open. One line feed: with two, the front end's parser would see an empty message.
 */
export const heartbeat = ': hb\n'

/** Headers of a stream; proxies must neither keep nor change it. */
export const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no'
} as const
