import type { Annotation } from '../../protocol/source.ts'
import type { ModelErrorMessages } from '../model-error.ts'
import type { ModelInputOptions, ModelMessage } from '../model-input.ts'
import type { Turn } from '../responder.ts'
import { checkServer, isTimeout, type ModelServer } from './client.ts'
import type { Usage } from './delta.ts'
import { type ClientTool, checkTools, type Tool } from './tools.ts'

type PerTurn<Value, Context> = Value | ((turn: Turn<Context>) => Value | Promise<Value>)

export type ChatCompletionsOptions<Context = unknown> = ModelServer & {
  /** The model's name at its server. What a reader chose in the composer is in `turn.input.inference_options.model`: unchecked. */
  model: PerTurn<string, Context>
  /** What the model is to be and do; the system message. */
  instructions?: PerTurn<string, Context>
  /** How the thread is told to the model; or the messages themselves. */
  input?: ModelInputOptions | ((turn: Turn<Context>) => ModelMessage[] | Promise<ModelMessage[]>)
  tools?: Tool<Context>[]
  clientTools?: ClientTool[]
  /** Times the model is asked within one turn; the last time it may use no tool. @default 8 */
  maxSteps?: number
  /** More fields of the request, such as `temperature`. */
  body?: Record<string, unknown>
  /** Shows what the model thinks. @default true */
  reasoning?: boolean
  /** The whole answer with all its steps and retries, in milliseconds. @default no limit but the stream's own */
  answerTimeoutMs?: number
  /** References to sources, found in the text of a message once it is whole. */
  annotate?(text: string, turn: Turn<Context>): Omit<Annotation, 'type'>[]
  /** In place of the English words a reader gets when the model fails. */
  errorMessages?: Partial<ModelErrorMessages>
  /** What the operator reads in the log, in place of advice about these options. */
  cures?: Partial<ModelErrorMessages>
  /** What the reader is told, in a notice, below an answer that reached its greatest length. @default nothing */
  cutOff?: string
  /** Hears, once a step, how many tokens it took; makes the request ask for that. */
  onUsage?(usage: Usage, turn: Turn<Context>): void
}

/** @throws TypeError for options that cannot be meant. */
export function checkOptions<Context>(options: ChatCompletionsOptions<Context>): void {
  checkServer(options)
  const { model, maxSteps = 8, tools = [], clientTools = [], answerTimeoutMs } = options
  if (answerTimeoutMs !== undefined && !isTimeout(answerTimeoutMs))
    throw new TypeError('answerTimeoutMs must be a whole number of at least 1')
  if (typeof model !== 'function' && (typeof model !== 'string' || model === ''))
    throw new TypeError('model must be the name of a model, or a function that gives one')
  if (!Number.isInteger(maxSteps) || maxSteps < 1) throw new TypeError('maxSteps must be a whole number above zero')
  checkTools([...tools, ...clientTools])
}

export async function perTurn<Value, Context>(value: PerTurn<Value, Context>, turn: Turn<Context>): Promise<Value> {
  return typeof value === 'function' ? await (value as (turn: Turn<Context>) => Value | Promise<Value>)(turn) : value
}
