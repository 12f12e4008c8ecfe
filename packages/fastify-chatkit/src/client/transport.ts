import type { StreamEvent } from '../protocol/event.ts'
import { ChatKitClientError, errorOf, isChatKitClientError, lost } from './error.ts'
import { EventDataParser } from './event-data.ts'
import { delayBefore, elementRetryPolicy, pause, type RetryPolicy } from './retry.ts'

export type TransportOptions = {
  /** Where the server's ChatKit route is. In a browser it may be relative. */
  url: string
  /** Asked before every request, each repetition included: the place for `Authorization`. Uploads never carry these. */
  getHeaders?(): Record<string, string> | Promise<Record<string, string>>
  /** Whether cookies go along. @default 'same-origin' */
  credentials?: 'omit' | 'same-origin' | 'include'
  /** @default the global one */
  fetch?: typeof fetch
  retry?: Partial<RetryPolicy>
  /** Hears that a request for a stream will be repeated. */
  onRetry?(retry: { attempt: number; delayMs: number; error: ChatKitClientError }): void
  /**
   * After how long without a byte a stream counts as lost, in milliseconds. Only for servers that keep idle streams alive, as
   * fastify-chatkit does every 15 seconds. @default never
   */
  idleMs?: number
}

/** What goes with one request. */
export type RequestOptions = {
  /** Ends the request. For a stream this is Stop: the server sees the reader leave. */
  signal?: AbortSignal | undefined
  /** Free-form data of the application's own. */
  metadata?: Record<string, unknown>
}

/** Sends requests of the protocol, and reads what they are answered with. */
export class Transport {
  readonly #options: TransportOptions
  readonly #retry: RetryPolicy

  constructor(options: TransportOptions) {
    if (typeof options.url !== 'string' || options.url === '') throw new TypeError('url must say where the server is')
    this.#options = options
    this.#retry = { ...elementRetryPolicy, ...options.retry }
  }

  get fetch(): typeof fetch {
    return this.#options.fetch ?? globalThis.fetch
  }

  /** @throws ChatKitClientError; the signal's reason. */
  async json(type: string, params: object, options: RequestOptions = {}): Promise<unknown> {
    const response = await this.#post(type, params, options, 'application/json')
    if (!response.ok) throw await errorOf(response)
    try {
      return await response.json()
    } catch (cause) {
      options.signal?.throwIfAborted()
      throw lost('CONNECTION_LOST', cause)
    }
  }

  /**
   * The events of a stream as they arrive. Nothing is sent before the first is asked for; to stop asking stops the server as well.
   *
   * @throws ChatKitClientError; the signal's reason.
   */
  async *stream(
    type: string,
    params: object,
    options: RequestOptions = {}
  ): AsyncGenerator<StreamEvent, void, undefined> {
    const response = await this.#open(type, params, options)
    const parser = new EventDataParser()
    for await (const bytes of chunks(response, options.signal, this.#options.idleMs)) {
      for (const data of parser.push(bytes)) yield eventOf(data)
    }
    if (parser.end()) throw lost('CONNECTION_LOST')
  }

  /** An answer that is a stream, asked for as often as the policy allows. */
  async #open(type: string, params: object, options: RequestOptions): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.#post(type, params, options, 'text/event-stream')
      const isStream = response.headers.get('content-type')?.toLowerCase().startsWith('text/event-stream')
      if (response.ok && isStream) return response
      const error = await errorOf(response)
      // As the element does: a 5xx, or a success that is no stream. Any 4xx is final, and so is a request that was lost on
      // its way, since it may have arrived.
      const delayMs =
        response.ok || response.status >= 500
          ? delayBefore(this.#retry, attempt, error.retryAfterMs, Math.random())
          : null
      if (delayMs === null) throw error
      this.#options.onRetry?.({ attempt, delayMs, error })
      await pause(delayMs, options.signal)
    }
  }

  async #post(type: string, params: object, { signal, metadata }: RequestOptions, accept: string): Promise<Response> {
    const { url, getHeaders, credentials = 'same-origin' } = this.#options
    signal?.throwIfAborted()
    const headers = { ...(await getHeaders?.()), 'content-type': 'application/json', accept }
    signal?.throwIfAborted()
    const body = JSON.stringify({ type, params, ...(metadata ? { metadata } : {}) })
    try {
      const { fetch } = this
      return await fetch(url, { method: 'POST', headers, body, credentials, ...(signal ? { signal } : {}) })
    } catch (cause) {
      signal?.throwIfAborted()
      throw lost('NETWORK_FAILED', cause)
    }
  }
}

async function* chunks(
  response: Response,
  signal: AbortSignal | undefined,
  idleMs: number | undefined
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = response.body?.getReader()
  if (!reader) return
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    for (;;) {
      const silence =
        idleMs === undefined
          ? null
          : new Promise<never>((_resolve, reject) => {
              timer = setTimeout(() => reject(lost('CONNECTION_LOST')), idleMs)
            })
      const { done, value } = await (silence ? Promise.race([reader.read(), silence]) : reader.read())
      clearTimeout(timer)
      if (done) return
      yield value
    }
  } catch (cause) {
    signal?.throwIfAborted()
    throw isChatKitClientError(cause) ? cause : lost('CONNECTION_LOST', cause)
  } finally {
    clearTimeout(timer)
    // Whoever leaves the loop leaves the server as well. Of a stream that was read to its end nothing is left to end.
    reader.cancel().catch(() => undefined)
  }
}

/** What one message of the stream says. A type nobody knows yet is an event as well. */
function eventOf(data: string): StreamEvent {
  let event: unknown
  try {
    event = JSON.parse(data)
  } catch (cause) {
    throw invalid(cause)
  }
  if (typeof event !== 'object' || event === null || !('type' in event) || typeof event.type !== 'string')
    throw invalid()
  return event as StreamEvent
}

function invalid(cause?: unknown): ChatKitClientError {
  return new ChatKitClientError('The answer is no stream of events', {
    code: 'STREAM_INVALID',
    retryable: false,
    cause
  })
}
