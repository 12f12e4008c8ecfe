/** What kept a request from being answered, or an answer from being read to its end. */
export class ChatKitClientError extends Error {
  /** The status of the answer; `null` when there was none, or its stream broke. */
  readonly status: number | null
  /**
   * For programs; stable. The server's own `code`, else `HTTP_<status>`; without an answer `NETWORK_FAILED`, `CONNECTION_LOST`
   * (in mid-stream), `STREAM_INVALID` (what came is no event) or `UPLOAD_FAILED`.
   */
  readonly code: string
  /** Whether the same request may well succeed later: no connection, 408, 425, 429 and every 5xx. */
  readonly retryable: boolean
  /** What the server asked to wait, in milliseconds (RFC 9110 §10.2.3); `null` when it did not. */
  readonly retryAfterMs: number | null
  /** More for people, where the server said more. */
  readonly detail: string | null
  /** What the server's log calls the request; from its answer, or the header `x-request-id`. */
  readonly requestId: string | null

  constructor(
    message: string,
    { status = null, code, retryable, retryAfterMs = null, detail = null, requestId = null, cause }: ErrorFields
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ChatKitClientError'
    this.status = status
    this.code = code
    this.retryable = retryable
    this.retryAfterMs = retryAfterMs
    this.detail = detail
    this.requestId = requestId
  }
}

type ErrorFields = {
  status?: number | null
  code: string
  retryable: boolean
  retryAfterMs?: number | null
  detail?: string | null
  requestId?: string | null
  cause?: unknown
}

/** Whether something thrown is an error of this client, whichever copy of it. */
export function isChatKitClientError(error: unknown): error is ChatKitClientError {
  return error instanceof Error && error.name === 'ChatKitClientError'
}

/** The error an answer stands for. Reads its body. */
export async function errorOf(response: Response): Promise<ChatKitClientError> {
  const { status, statusText, headers } = response
  const body = await bodyOf(response)
  const message = textOf(body.message) ?? textOf(body.error) ?? (statusText || `The server answered ${status}`)
  return new ChatKitClientError(message, {
    status,
    // An answer of success that is not what was asked for comes from something between the server and here.
    code: textOf(body.code) ?? (response.ok ? 'STREAM_INVALID' : `HTTP_${status}`),
    retryable: response.ok || status >= 500 || [408, 425, 429].includes(status),
    retryAfterMs: retryAfter(headers.get('retry-after')),
    detail: textOf(body.detail),
    requestId: textOf(body.requestId) ?? headers.get('x-request-id')
  })
}

/** The error for a request that got no answer, or lost it. */
export function lost(
  code: 'NETWORK_FAILED' | 'CONNECTION_LOST' | 'UPLOAD_FAILED',
  cause?: unknown
): ChatKitClientError {
  const messages = {
    NETWORK_FAILED: 'The server cannot be reached',
    CONNECTION_LOST: 'The connection was lost before the answer was complete',
    UPLOAD_FAILED: 'The file could not be sent'
  }
  return new ChatKitClientError(messages[code], { code, retryable: true, cause })
}

async function bodyOf(response: Response): Promise<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(await response.text())
    return typeof body === 'object' && body !== null ? { ...body } : {}
  } catch {
    // A page of a proxy's, or nothing: the status says it all.
    return {}
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function retryAfter(value: string | null): number | null {
  if (value === null) return null
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : null
}
