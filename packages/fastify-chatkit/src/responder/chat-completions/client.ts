import { setTimeout as wait } from 'node:timers/promises'
import { ModelError, modelError } from '../model-error.ts'
import { type Delta, failureIn, parseDelta } from './delta.ts'
import { eventData } from './event-data.ts'
import { withoutRequest } from './without-request.ts'

/** Where a model is, and how patient to be with it. Times are in milliseconds. */
export type ModelServer = {
  /** Everything before `/chat/completions`, such as `http://127.0.0.1:11434/v1`. */
  baseUrl: string
  /** Sent as a bearer token. A function is asked for each request. */
  apiKey?: string | (() => string | Promise<string>)
  headers?: Record<string, string>
  /** Until the server begins to answer; one that has to load its model first needs time. @default 60_000 */
  connectTimeoutMs?: number
  /** From the request to the first words, thoughts or calls of an answer; comments do not count. @default no limit but the other two */
  firstTokenTimeoutMs?: number
  /** Between two signs of life of an answer. @default 60_000 */
  idleTimeoutMs?: number
  /** How often a request is repeated when nothing of an answer had come. @default 2 */
  retries?: number
  /** A `Retry-After` longer than this is not waited for. @default 10_000 */
  maxRetryDelayMs?: number
  /** @default the global one, which itself waits at most 5 minutes for an answer to begin or go on */
  fetch?: typeof globalThis.fetch
}

/** Hears of a request that is made again. */
export type OnRetry = (error: ModelError, delayMs: number) => void

/** How long the end of a stream is waited for once the answer is over. */
const lastMs = 250

/** Minds how long the server takes. Time only runs while we wait for it: a reader who is slow makes us read slowly. */
type Watch = { start(): void; stop(): void; hurry(): void }

/** Of a failure, no more than this is read. */
const maxFailureLength = 64 * 1024

/** The longest time a timer of Node takes. */
const longestMs = 2 ** 31 - 1

/** @throws TypeError for what cannot be meant. */
export function checkServer(server: ModelServer): void {
  if (!/^https?:$/.test(URL.canParse(server.baseUrl) ? new URL(server.baseUrl).protocol : ''))
    throw new TypeError('baseUrl must be an http or https URL, such as http://127.0.0.1:11434/v1')
  for (const name of ['connectTimeoutMs', 'firstTokenTimeoutMs', 'idleTimeoutMs'] as const) {
    const value = server[name]
    if (value !== undefined && !isTimeout(value)) throw new TypeError(`${name} must be a whole number of at least 1`)
  }
  for (const name of ['retries', 'maxRetryDelayMs'] as const) {
    const value = server[name]
    if (value !== undefined && value !== 0 && !isTimeout(value))
      throw new TypeError(`${name} must be a whole number of at least 0`)
  }
}

/** Whether a timer of Node can wait so many milliseconds. */
export function isTimeout(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= longestMs
}

/**
 * Streams one completion.
 *
 * A request that fails before anything of an answer has come is made again, when that can help. An abort ends the HTTP request
 * itself, and so does leaving the loop.
 *
 * @throws the signal's reason when it aborts; ModelError for all else.
 */
export async function* streamCompletion(
  server: ModelServer,
  body: object,
  signal: AbortSignal,
  onRetry: OnRetry = () => undefined
): AsyncGenerator<Delta, void, undefined> {
  const { retries = 2, maxRetryDelayMs = 10_000 } = server
  for (let attempt = 0; ; attempt++) {
    let begun = false
    try {
      for await (const delta of request(server, body, signal)) {
        begun = true
        yield delta
      }
      return
    } catch (thrown) {
      if (signal.aborted) throw signal.reason
      const error = withoutRequest(
        thrown instanceof ModelError ? thrown : new ModelError('unavailable', { cause: thrown }),
        body
      )
      const delay = error.failure.retryAfterMs ?? Math.round(500 * 2 ** attempt * (0.75 + Math.random() / 2))
      if (begun || !error.retries || attempt >= retries || delay > maxRetryDelayMs) throw error
      onRetry(error, delay)

      try {
        await wait(delay, undefined, { signal })
      } catch {
        throw signal.reason
      }
    }
  }
}

async function* request(
  server: ModelServer,
  body: object,
  signal: AbortSignal
): AsyncGenerator<Delta, void, undefined> {
  const { baseUrl, connectTimeoutMs = 60_000, firstTokenTimeoutMs, idleTimeoutMs = 60_000 } = server
  const { fetch = globalThis.fetch } = server
  const apiKey = typeof server.apiKey === 'function' ? await server.apiKey() : server.apiKey
  signal.throwIfAborted()
  const ending = new AbortController()
  let timedOut: string | null = null
  let stopWaiting = waitFor(connectTimeoutMs, () => end(`No answer began within ${connectTimeoutMs} ms`))
  const firstHasCome =
    firstTokenTimeoutMs === undefined
      ? () => undefined
      : waitFor(firstTokenTimeoutMs, () => end(`Nothing of an answer came within ${firstTokenTimeoutMs} ms`))
  let patienceMs = idleTimeoutMs
  const end = (why: string) => {
    timedOut = why
    ending.abort()
  }
  const watch: Watch = {
    start() {
      stopWaiting()
      stopWaiting = waitFor(patienceMs, () => end(`Nothing came for ${patienceMs} ms`))
    },
    stop: () => stopWaiting(),
    hurry() {
      patienceMs = Math.min(patienceMs, lastMs)
    }
  }
  const leave = () => ending.abort(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  try {
    const response = await fetch(`${baseUrl.replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream, application/json',
        ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
        ...server.headers
      },
      body: JSON.stringify(body),
      // A redirect would turn the POST into a GET, and may lead to another host.
      redirect: 'manual',
      signal: ending.signal
    })
    watch.start()
    if (!response.ok) throw await failure(response, apiKey, watch)
    for await (const delta of deltas(response, watch)) {
      firstHasCome()
      yield delta
    }
  } catch (error) {
    if (timedOut !== null) throw new ModelError('timeout', { detail: timedOut })
    throw error
  } finally {
    stopWaiting()
    firstHasCome()
    signal.removeEventListener('abort', leave)
    ending.abort()
  }
}

/**
 * Calls `over` after so many milliseconds, but not before what has arrived by then was read: where this process stood still for a
 * while, its timers are over before it looks.
 *
 * @returns what ends the waiting.
 */
function waitFor(ms: number, over: () => void): () => void {
  let look: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    look = setImmediate(over)
  }, ms)
  return () => {
    clearTimeout(timer)
    clearImmediate(look)
  }
}

async function* deltas(response: Response, watch: Watch): AsyncGenerator<Delta, void, undefined> {
  const type = response.headers.get('content-type') ?? ''
  if (type.includes('json')) {
    yield parseDelta(await response.text())
    return
  }
  if (type !== '' && !type.startsWith('text/event-stream'))
    throw new ModelError('model', { status: response.status, detail: `The answer is ${type}, no event stream` })
  let finished = false
  try {
    for await (const data of eventData(chunksOf(response, watch))) {
      if (data.trim() === '[DONE]') {
        finished = true
        // Read to its very end, a connection can be used again; but that must not take long.
        watch.hurry()
        continue
      }
      const delta = parseDelta(data)
      finished ||= delta.finish !== null
      if (says(delta)) yield delta
    }
  } catch (error) {
    if (!finished || error instanceof ModelError) throw error
  }
  if (!finished) throw new ModelError('answer', { detail: 'The stream ended in the middle of the answer' })
}

// The first chunk often names a role and nothing else: an answer has not begun with it.
function says({ text, reasoning, citations, calls, finish, usage }: Delta): boolean {
  return (
    [text, reasoning].some(one => one !== '') ||
    citations.length + calls.length > 0 ||
    finish !== null ||
    usage !== null
  )
}

async function* chunksOf(response: Response, watch: Watch): AsyncGenerator<Uint8Array, void, undefined> {
  if (!response.body) return
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    watch.stop()
    yield chunk
    watch.start()
  }
}

async function failure(response: Response, apiKey: string | undefined, watch: Watch): Promise<ModelError> {
  const { status, headers } = response
  const retryAfterMs = retryAfter(headers)
  if (status < 400) {
    const detail = `A redirect to ${headers.get('location')}; baseUrl must be the address itself`
    return new ModelError('model', { status, detail })
  }
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of chunksOf(response, watch)) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > maxFailureLength) break
  }
  if (apiKey) text = text.replaceAll(apiKey, '***')
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return modelError({ status, detail: text.slice(0, 1000), retryAfterMs })
  }
  return modelError({ status, ...failureIn(body, status), retryAfterMs })
}

/** RFC 9110 §10.2.3: seconds, or a date; and the milliseconds some providers send. */
function retryAfter(headers: Headers): number | undefined {
  const milliseconds = Number(headers.get('retry-after-ms') ?? Number.NaN)
  if (milliseconds >= 0) return milliseconds
  const value = headers.get('retry-after')
  if (value === null) return undefined
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now())
}
