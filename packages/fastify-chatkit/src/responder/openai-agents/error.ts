import {
  AgentsError,
  GuardrailExecutionError,
  InputGuardrailTripwireTriggered,
  MaxTurnsExceededError,
  ModelBehaviorError,
  ModelRefusalError,
  ModelTimeoutError,
  OutputGuardrailTripwireTriggered,
  ToolCallError,
  ToolInputGuardrailTripwireTriggered,
  ToolOutputGuardrailTripwireTriggered
} from '@openai/agents'
import { fromAiSdkError } from '../ai-sdk/error.ts'
import { ModelError, type ModelFailure, modelError } from '../model-error.ts'

const tripwires = [
  InputGuardrailTripwireTriggered,
  OutputGuardrailTripwireTriggered,
  ToolInputGuardrailTripwireTriggered,
  ToolOutputGuardrailTripwireTriggered
]

/** The name of the guardrail that stopped a run, or `null` when it was something else. */
export function guardrailIn(error: unknown): string | null {
  // Those of tools come inside another.
  if (error instanceof ToolCallError) return guardrailIn(error.error)
  if (!(error instanceof AgentsError) || !tripwires.some(tripwire => error instanceof tripwire)) return null
  const { guardrail } = (error as InputGuardrailTripwireTriggered).result
  return guardrail.name
}

/** What the model said when it would not answer, or `null` when it was something else. */
export function refusalIn(error: unknown): string | null {
  return error instanceof ModelRefusalError ? error.refusal : null
}

/**
 * What an error of a run means: a `ModelError` for a failure of the model, else an error that can be logged.
 *
 * The SDK's errors carry the state of the run, which is the reader's conversation and belongs into no log.
 *
 * @param failure what the model's response said of its failure, when it did.
 */
export function fromAgentsError(error: unknown, failure: ModelFailure | null): unknown {
  if (error instanceof ToolCallError || error instanceof GuardrailExecutionError)
    return fromAgentsError(error.error, failure)
  if (error instanceof AgentsError) return fromOwnError(error, failure)
  if (!(error instanceof Error)) return error
  const kind = error.constructor.name
  if (error.name.startsWith('AI_')) return fromAiSdkError(error)
  // A connection that breaks within an answer, as `fetch` says it.
  if (error instanceof TypeError && (error.message === 'terminated' || error.message === 'fetch failed'))
    return modelError({ detail: error.message, cause: error.cause })
  if (kind === 'OpenAIError' && /credentials|api.?key/i.test(error.message)) return new ModelError('key')
  if (!isApiError(error)) return error
  const { status, code, message: detail } = error
  if (/Timeout/.test(kind)) return new ModelError('timeout', { detail })
  const known = { status, code: typeof code === 'string' ? code : undefined, detail }
  return modelError({ ...known, retryAfterMs: retryAfterMs(error.headers), cause: error.cause })
}

function fromOwnError(error: AgentsError, failure: ModelFailure | null): Error {
  const { message: detail } = error
  if (error instanceof ModelTimeoutError) return new ModelError('timeout', { detail })
  if (error instanceof MaxTurnsExceededError) return new ModelError('answer', { detail })
  if (error instanceof ModelBehaviorError) return failure ? modelError(failure) : new ModelError('answer', { detail })
  const bare = new Error(detail)
  bare.name = error.constructor.name
  if (error.stack !== undefined) bare.stack = error.stack
  return bare
}

type ApiError = Error & { status: number | undefined; code?: unknown; headers: unknown }

// Of OpenAI's client. Its class is not asked for, as there may be two versions of it.
function isApiError(error: Error): error is ApiError {
  return 'status' in error && 'headers' in error && 'requestID' in error
}

function retryAfterMs(headers: unknown): number | undefined {
  const value = headers instanceof Headers ? headers.get('retry-after') : null
  const seconds = Number(value ?? Number.NaN)
  return seconds >= 0 ? seconds * 1000 : undefined
}
