import type { Turn } from './responder.ts'
import { ChatKitStreamError } from './stream-error.ts'

/** What went wrong with a model. */
export type ModelErrorReason =
  | 'key'
  | 'model'
  | 'quota'
  | 'rate_limit'
  | 'context'
  | 'filtered'
  | 'request'
  | 'unavailable'
  | 'timeout'
  | 'answer'

/** What the reader is told, for each reason. */
export type ModelErrorMessages = Record<ModelErrorReason, string>

type Meaning = { message: string; allowRetry: boolean; retries: boolean; cure: string }

const unavailable = 'The assistant is not available at the moment.'
const tryAgain = 'The assistant cannot be reached at the moment. Please try again.'

// What the operator reads is the cure: the reader can do nothing about a key.
const meanings: Record<ModelErrorReason, Meaning> = {
  key: {
    message: unavailable,
    allowRetry: false,
    retries: false,
    cure: 'The model’s provider refuses the key; check apiKey'
  },
  model: {
    message: unavailable,
    allowRetry: false,
    retries: false,
    cure: 'The provider has no such model, or no such address; check model and baseUrl'
  },
  quota: {
    message: unavailable,
    allowRetry: false,
    retries: false,
    cure: 'The account at the model’s provider has nothing left to spend'
  },
  rate_limit: {
    message: 'The assistant is very busy. Please try again in a moment.',
    allowRetry: true,
    retries: true,
    cure: 'The model’s provider asks for fewer requests'
  },
  context: {
    message: 'This conversation has become too long for the assistant. Please start a new one.',
    allowRetry: false,
    retries: false,
    cure: 'The input is too long for the model; lower maxLength or maxItems of the input option'
  },
  filtered: {
    message: 'The assistant may not answer this.',
    allowRetry: false,
    retries: false,
    cure: 'The provider’s content filter stepped in'
  },
  request: {
    message: unavailable,
    allowRetry: false,
    retries: false,
    cure: 'The model’s provider does not accept the request'
  },
  unavailable: {
    message: tryAgain,
    allowRetry: true,
    retries: true,
    cure: 'The model’s provider cannot be reached, or has failed'
  },
  timeout: { message: tryAgain, allowRetry: true, retries: true, cure: 'The model’s provider took too long' },
  answer: {
    message: tryAgain,
    allowRetry: true,
    retries: false,
    cure: 'The model’s answer was broken off, empty, or not of the protocol'
  }
}

/** What is known of a failure. */
export type ModelFailure = {
  status?: number | undefined
  /** The provider's words. They may quote the request, so they are for the log alone. */
  detail?: string | undefined
  /** The provider's own name for it. */
  code?: string | undefined
  retryAfterMs?: number | undefined
  cause?: unknown
}

/** An answer that a model, or its provider, did not give. The reader is told no more than `publicMessage`. */
export class ModelError extends ChatKitStreamError {
  readonly reason: ModelErrorReason
  readonly failure: ModelFailure
  /** Whether the same request may succeed later. */
  readonly retries: boolean
  /** For the operator: what to do about it. */
  readonly cure: string

  constructor(reason: ModelErrorReason, failure: ModelFailure = {}, messages: Partial<ModelErrorMessages> = {}) {
    const { message, allowRetry, retries, cure } = meanings[reason]
    super({ message: messages[reason] ?? message, allowRetry, cause: failure.cause })
    this.name = 'ModelError'
    this.reason = reason
    // Providers quote the key they refuse.
    this.failure = reason === 'key' ? { ...failure, detail: undefined } : failure
    this.retries = retries
    this.cure = cure
  }

  /** The same, in words of the application's own. */
  withMessages(messages: Partial<ModelErrorMessages>): ModelError {
    return new ModelError(this.reason, this.failure, messages)
  }
}

const tooLong =
  /maximum context|context[ _](length|window|size)|too many (input )?tokens|(prompt|input)( length)? (is )?(too long|exceeds)|reduce the length|exceeds? the (available|model)/i

/** What a provider meant, by its status, its code, and if need be its words. */
export function modelError(failure: ModelFailure): ModelError {
  return new ModelError(reasonOf(failure), failure)
}

function reasonOf({ status, code = '', detail = '' }: ModelFailure): ModelErrorReason {
  if (/context_length|exceed_context|context_window|string_above_max/.test(code)) return 'context'
  if (/insufficient_quota|billing/.test(code) || status === 402) return 'quota'
  if (/invalid_api_key|authentication/.test(code) || status === 401 || status === 403) return 'key'
  if (/rate_limit/.test(code) || status === 429) return 'rate_limit'
  if (/content_(filter|policy)/.test(code)) return 'filtered'
  if (tooLong.test(detail) || status === 413) return 'context'
  if (/model_not_found/.test(code) || status === 404) return 'model'
  if (status === 408 || status === 504) return 'timeout'
  if (status === undefined || status >= 500) return 'unavailable'
  return 'request'
}

/** One line for the operator. */
export function logModelError(
  turn: Pick<Turn, 'log' | 'thread' | 'requestId'>,
  error: ModelError,
  about: object = {},
  cures: Partial<ModelErrorMessages> = {}
): void {
  const { status, code, detail, retryAfterMs, cause } = error.failure
  turn.log.error(
    {
      reason: error.reason,
      status,
      code,
      detail: detail?.slice(0, 1000),
      retryAfterMs,
      err: cause,
      ...about,
      threadId: turn.thread.id,
      requestId: turn.requestId
    },
    cures[error.reason] ?? error.cure
  )
}
