import type { StreamEvent } from '../protocol/event.ts'

/**
 * An event as it goes over the wire: one `data:` line of compact JSON, then an empty line (WHATWG HTML §9.2).
 *
 * Text deltas are most of any stream; theirs is put together from parts, as nothing in it but the text needs quoting twice.
 */
export function frame(event: StreamEvent): string {
  if (
    event.type === 'thread.item.updated' &&
    event.update.type === 'assistant_message.content_part.text_delta' &&
    plainId.test(event.item_id)
  )
    return `data: {"type":"thread.item.updated","item_id":"${event.item_id}","update":{"type":"assistant_message.content_part.text_delta","content_index":${event.update.content_index},"delta":${JSON.stringify(event.update.delta)}}}\n\n`
  return `data: ${JSON.stringify(event)}\n\n`
}

const plainId = /^[\w-]+$/

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
