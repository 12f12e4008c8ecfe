import { failureIn } from '../chat-completions/delta.ts'
import { ModelError, modelError } from '../model-error.ts'
import { ChatKitStreamError } from '../stream-error.ts'

/**
 * What an error of the AI SDK, or of a provider's package, means.
 *
 * It is not kept as the cause: it has the whole request in it, which is the reader's conversation and belongs into no log.
 */
export function fromAiSdkError(error: unknown): ChatKitStreamError {
  if (error instanceof ChatKitStreamError) return error
  if (typeof error === 'string') return modelError({ detail: error })
  if (!isObject(error)) return modelError({ detail: String(error) })
  const { name, lastError, statusCode, responseBody, responseHeaders, message } = error
  // After its retries, it tells of the last.
  if (lastError !== undefined) return fromAiSdkError(lastError)
  const detail = typeof message === 'string' ? message : JSON.stringify(error)
  if (name === 'AI_LoadAPIKeyError') return new ModelError('key', { detail })
  if (name === 'AI_NoSuchModelError') return new ModelError('model', { detail })
  // An answer that was broken off still has the status it began with.
  if (typeof statusCode === 'number' && statusCode >= 400) {
    const told = failureIn(parsed(responseBody), statusCode)
    return modelError({
      ...told,
      status: statusCode,
      detail: told?.detail ?? detail,
      retryAfterMs: seconds(responseHeaders)
    })
  }
  const failure = failureIn({ error })
  return modelError({ ...failure, detail })
}

function parsed(body: unknown): unknown {
  try {
    return JSON.parse(String(body))
  } catch {
    return {}
  }
}

function seconds(headers: unknown): number | undefined {
  const value = isObject(headers) ? Number(headers['retry-after']) : Number.NaN
  return value >= 0 ? value * 1000 : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
