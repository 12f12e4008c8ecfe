import type { ResponderEvent } from '../protocol/event.ts'
import { type ModelServer, streamCompletion } from './chat-completions/client.ts'
import { toWireMessages, type WireMessage } from './chat-completions/messages.ts'
import { type ChatCompletionsOptions, checkOptions, perTurn } from './chat-completions/options.ts'
import { type ModelCall, type Step, showStep } from './chat-completions/step.ts'
import { readArguments, runTool, wireTool } from './chat-completions/tools.ts'
import { notice } from './events.ts'
import { type HandedCall, handOver } from './helpers/hand-over.ts'
import { limitTime } from './helpers/limit-time.ts'
import { Thoughts } from './helpers/thoughts.ts'
import type { Ask } from './helpers/title.ts'
import { logModelError, ModelError } from './model-error.ts'
import { modelInput } from './model-input.ts'
import type { Responder, Turn } from './responder.ts'

export type { ModelServer } from './chat-completions/client.ts'
export type { Usage } from './chat-completions/delta.ts'
export type { ChatCompletionsOptions } from './chat-completions/options.ts'
export {
  type ClientTool,
  defineTool,
  type Tool,
  type ToolCall,
  type ToolParameters,
  type ToolResult
} from './chat-completions/tools.ts'

/**
 * Answers with a model behind the chat completions protocol: Ollama, vLLM, llama.cpp, LM Studio, or a hosted one.
 *
 * ```ts
 * respond: chatCompletions({ baseUrl: 'http://127.0.0.1:11434/v1', model: 'qwen3', instructions: 'You help with orders.' })
 * ```
 *
 * Text is shown as it comes, under ids of our own. Tools run here, a step at a time, until the model has its answer; a client
 * tool ends the turn. When the reader leaves, the HTTP request to the model ends.
 *
 * @throws TypeError for options that cannot be meant. A turn fails with a `ModelError`, after one line in the log.
 */
export function chatCompletions<Context = unknown>(options: ChatCompletionsOptions<Context>): Responder<Context> {
  checkOptions(options)
  return async function* (turn) {
    const { answerTimeoutMs: ms } = options
    const time =
      ms === undefined
        ? null
        : limitTime([turn.signal], ms, () => {
            return new ModelError('timeout', { detail: `The answer was not complete within ${ms} ms` })
          })
    try {
      yield* answer(turn, options, time?.signal ?? turn.signal)
    } catch (error) {
      if (!(error instanceof ModelError)) throw error
      logModelError(turn, error, { baseUrl: options.baseUrl }, options.cures)
      throw error.withMessages(options.errorMessages ?? {})
    } finally {
      time?.clear()
    }
  }
}

/**
 * Asks a model for a few words, all at once; for `withTitle`.
 *
 * @throws TypeError for options that cannot be meant; what is returned rejects with a `ModelError`.
 */
export function askChatCompletions(options: ModelServer & { model: string; body?: Record<string, unknown> }): Ask {
  checkOptions(options)
  return async (prompt, { signal }) => {
    const body = { model: options.model, messages: [{ role: 'user', content: prompt }], stream: true, ...options.body }
    let text = ''
    for await (const delta of streamCompletion(options, body, signal)) text += delta.text
    return text
  }
}

async function* answer<Context>(
  turn: Turn<Context>,
  options: ChatCompletionsOptions<Context>,
  signal: AbortSignal
): AsyncGenerator<ResponderEvent, void, undefined> {
  const { tools = [], clientTools = [], maxSteps = 8, reasoning = true, onUsage } = options
  const thoughts = new Thoughts(turn, reasoning)
  const messages = await firstMessages(turn, options)
  const model = await perTurn(options.model, turn)
  const used: string[] = []
  let said = false

  for (let step = 1; ; step++) {
    const body = {
      model,
      messages,
      stream: true,
      ...(onUsage ? { stream_options: { include_usage: true } } : {}),
      ...toolFields(turn, [...tools, ...clientTools], step, maxSteps),
      ...options.body
    }
    const deltas = streamCompletion(options, body, signal, ({ reason, failure }, delayMs) =>
      turn.log.warn({ reason, status: failure.status, delayMs, requestId: turn.requestId }, 'The model is asked again')
    )
    const { text, calls, finish, usage, message } = yield* showStep(
      turn,
      deltas,
      thoughts,
      said => options.annotate?.(said, turn) ?? []
    )
    // A quiet end is no complete answer when the reader has gone.
    signal.throwIfAborted()
    if (usage) onUsage?.(usage, turn)
    said ||= text !== ''
    checkEnd(turn, { text, calls, finish, usage, message })
    if (finish === 'length' && options.cutOff) yield notice('info', options.cutOff)
    if (calls.length === 0) break
    if (step >= maxSteps) throw new ModelError('answer', { detail: `The model used tools in all of ${maxSteps} steps` })
    messages.push(message)
    said = true
    const pending = yield* useTools(turn, options, calls, messages, used, signal)
    if (pending) {
      yield* thoughts.end()
      yield* handOver(turn, pending, used)
      return
    }
  }
  yield* thoughts.end()
  if (!said) throw new ModelError('answer', { detail: 'The model said nothing' })
}

async function firstMessages<Context>(
  turn: Turn<Context>,
  { instructions, input = {} }: ChatCompletionsOptions<Context>
): Promise<WireMessage[]> {
  const told = toWireMessages(typeof input === 'function' ? await input(turn) : await modelInput(turn, input))
  const content = instructions === undefined ? '' : await perTurn(instructions, turn)
  return content === '' ? told : [{ role: 'system', content }, ...told]
}

function toolFields(turn: Turn, tools: Parameters<typeof wireTool>[0][], step: number, maxSteps: number): object {
  if (tools.length === 0) return {}
  const chosen = turn.input?.inference_options.tool_choice?.id
  const tool_choice =
    step === maxSteps && step > 1
      ? 'none'
      : step === 1 && tools.some(tool => tool.name === chosen)
        ? { type: 'function', function: { name: chosen } }
        : undefined
  return { tools: tools.map(wireTool), ...(tool_choice ? { tool_choice } : {}) }
}

function checkEnd(turn: Turn, { finish, calls }: Step): void {
  if (finish === 'content_filter') throw new ModelError('filtered')
  if (finish !== 'length') return
  if (calls.length > 0)
    throw new ModelError('answer', { detail: 'The answer ended, for its length, within a tool call' })
  const { requestId, thread } = turn
  turn.log.warn(
    { threadId: thread.id, requestId },
    'An answer was cut off: it reached the greatest length the model may use'
  )
}

/** Runs what can be run here, one after another, and returns the call that is the page's. */
async function* useTools<Context>(
  turn: Turn<Context>,
  { tools = [], clientTools = [] }: ChatCompletionsOptions<Context>,
  calls: ModelCall[],
  messages: WireMessage[],
  used: string[],
  signal: AbortSignal
): AsyncGenerator<ResponderEvent, HandedCall | null, undefined> {
  let pending: HandedCall | null = null
  for (const call of calls) {
    const tell = (content: string) => messages.push({ role: 'tool', tool_call_id: call.id, content })
    const tool = tools.find(one => one.name === call.name)
    const described = tool ?? clientTools.find(one => one.name === call.name)
    if (!described) {
      tell(`There is no tool named ${call.name}.`)
      continue
    }
    const read = await readArguments(described, call.arguments)
    if ('problem' in read) {
      tell(read.problem)
    } else if (tool) {
      const output = yield* runTool(tool, read.args, { turn, callId: call.id, signal })
      signal.throwIfAborted()
      tell(output)
      used.push(`${call.name}(${JSON.stringify(read.args)}): ${output}`)
    } else if (pending) {
      // A thread has one pending call. The model asks again when it still wants to.
      turn.log.warn(
        { tool: call.name, requestId: turn.requestId },
        'One client tool at a time: a second call is dropped'
      )
    } else {
      pending = { callId: call.id, name: call.name, arguments: read.args }
    }
  }
  return pending
}
