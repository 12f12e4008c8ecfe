import type { StreamEvent } from '../protocol/event.ts'

type Bytes = AsyncIterable<Uint8Array | string>

/**
 * The events of a stream as they arrive: from the answer of `fetch`, from a Node stream, or from text.
 *
 * Stricter than a browser: anything but whole `data:` lines of JSON, empty lines and comments is an error, and so is a stream that is cut off.
 *
 * @throws SyntaxError for what the protocol does not allow; TypeError for an answer that is no event stream.
 */
export async function* readEvents(source: Response | Bytes | string): AsyncGenerator<StreamEvent, void, undefined> {
  let rest = ''
  for await (const text of texts(source)) {
    rest += text
    for (;;) {
      // A comment stands alone, with one line feed.
      const comment = /^:[^\n]*\n/.exec(rest)
      if (comment) {
        rest = rest.slice(comment[0].length)
        continue
      }
      const end = rest.indexOf('\n\n')
      if (end < 0) break
      yield parse(rest.slice(0, end))
      rest = rest.slice(end + 2)
    }
  }
  if (rest !== '') throw new SyntaxError(`The stream ends in the middle of an event: ${rest.slice(0, 200)}`)
}

/** All events of a stream, once it has ended. */
export async function allEvents(source: Response | Bytes | string): Promise<StreamEvent[]> {
  const events: StreamEvent[] = []
  for await (const event of readEvents(source)) events.push(event)
  return events
}

function parse(frame: string): StreamEvent {
  if (!frame.startsWith('data: ') || frame.includes('\n')) throw new SyntaxError(`No data line: ${frame.slice(0, 200)}`)
  return JSON.parse(frame.slice('data: '.length))
}

async function* texts(source: Response | Bytes | string): AsyncGenerator<string, void, undefined> {
  if (typeof source === 'string') {
    yield source
    return
  }
  if ('headers' in source) {
    const type = source.headers.get('content-type') ?? ''
    if (!source.ok || !type.startsWith('text/event-stream') || !source.body)
      throw new TypeError(`No event stream: ${source.status} ${type} ${(await source.text()).slice(0, 500)}`)
  }
  const bytes = 'headers' in source ? (source.body as unknown as Bytes) : source
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for await (const chunk of bytes) yield typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
  yield decoder.decode()
}
