import type { ReadableStream } from 'node:stream/web'
import type { AgentInputItem, RunStreamEvent } from '@openai/agents'
import type { ResponderEvent } from '../protocol/event.ts'
import { logModelError, ModelError, type ModelErrorMessages } from './model-error.ts'
import { type ModelInputOptions, modelInput } from './model-input.ts'
import { Answer } from './openai-agents/answer.ts'
import type { Channel } from './openai-agents/channel.ts'
import { type AgentContext, agentContext, channelOf } from './openai-agents/context.ts'
import { fromAgentsError, guardrailIn, refusalIn } from './openai-agents/error.ts'
import { agentInput } from './openai-agents/input.ts'
import type { ImageOptions } from './openai-agents/pictures.ts'
import type { Responder } from './responder.ts'
import { say } from './say.ts'
import { ChatKitStreamError } from './stream-error.ts'

export type { ClientToolCall } from './openai-agents/channel.ts'
export { type ClientToolOptions, clientTool } from './openai-agents/client-tool.ts'
export { type AgentContext, agentContext, type RunningTask } from './openai-agents/context.ts'
export { agentInput } from './openai-agents/input.ts'
export type { MadeImage } from './openai-agents/pictures.ts'
export type { WorkflowOptions, WorkflowSummary } from './openai-agents/steps.ts'

/** What the SDK's `run` gives with `stream: true`. */
export type StreamedRun = {
  toStream(): AsyncIterable<RunStreamEvent>
  /** Calls that wait for somebody's approval. */
  readonly interruptions: readonly { readonly rawItem: object; readonly name?: string | undefined }[]
}

export type OpenaiAgentsOptions = {
  /** Shows what the model thinks. @default true */
  reasoning?: boolean
  /** How pictures that the model makes are shown. */
  images?: ImageOptions
  /** What the reader is told when a guardrail stops the run. @default the front end's own words */
  guardrailMessage?: string
  /** In place of the English words a reader gets when the model fails. */
  errorMessages?: Partial<ModelErrorMessages>
}

/**
 * Answers with an agent of the OpenAI Agents SDK.
 *
 * ```ts
 * respond: openaiAgents((context, input) => run(agent, input, { context, stream: true, signal: context.signal }))
 * ```
 *
 * The run ends when the reader leaves, and tools can show things by its context.
 *
 * @param options.input how the thread is told to the model.
 */
export function openaiAgents<Context = unknown>(
  run: (context: AgentContext<Context>, input: AgentInputItem[]) => StreamedRun | Promise<StreamedRun>,
  options: OpenaiAgentsOptions & { input?: ModelInputOptions } = {}
): Responder<Context> {
  return async function* (turn) {
    const context = agentContext(turn)
    const input = agentInput(await modelInput(turn, options.input))
    yield* showRun(context, () => run(context, input), options)
  }
}

/**
 * The events of a run: text, what the model thinks, pictures, what tools tell, and at the end a call for the page.
 *
 * @param context the one the run was given.
 * @throws the turn's reason when it was aborted, however quietly the SDK took that; ModelError, after one line in the log, for a
 * failure of the model; ChatKitStreamError when a guardrail stopped the run, all of whose items are taken away again.
 */
export function fromAgentRun<Context>(
  context: AgentContext<Context>,
  run: StreamedRun,
  options: OpenaiAgentsOptions = {}
): AsyncGenerator<ResponderEvent, void, undefined> {
  return showRun(context, () => run, options)
}

async function* showRun<Context>(
  context: AgentContext<Context>,
  begin: () => StreamedRun | Promise<StreamedRun>,
  options: OpenaiAgentsOptions
): AsyncGenerator<ResponderEvent, void, undefined> {
  const { turn } = context
  const channel = channelOf(context)
  const answer = new Answer(turn, { reasoning: options.reasoning ?? true, ...options.images })
  const stop = () => channel.push({ type: 'failure', error: turn.signal.reason })
  turn.signal.addEventListener('abort', stop, { once: true })
  let leave: (() => void) | undefined
  try {
    await answer.begin()
    const run = await begin()
    leave = listen(run, channel)
    yield* told(context, answer, channel)
    yield* end(context, answer, channel, run)
  } catch (thrown) {
    // An aborted run may end in any way.
    turn.signal.throwIfAborted()
    const guardrail = guardrailIn(thrown)
    if (guardrail !== null) {
      const { guardrailMessage: message } = options
      turn.log.warn(
        { guardrail, threadId: turn.thread.id, requestId: turn.requestId },
        'A guardrail stopped the answer'
      )
      yield* answer.takeBack()
      throw new ChatKitStreamError({ ...(message === undefined ? {} : { message }), allowRetry: true, cause: thrown })
    }
    // For the SDK no answer, for the reader one in words.
    const refusal = refusalIn(thrown)
    if (refusal !== null) {
      const { said } = answer
      yield* answer.settle()
      if (!said) yield* say(turn, refusal)
      return
    }
    if (answer.failure?.incomplete === 'max_output_tokens' && answer.shown) {
      turn.log.warn(
        { threadId: turn.thread.id, requestId: turn.requestId },
        'An answer was cut off: it reached the greatest length the model may use'
      )
      yield* answer.settle()
      return
    }
    yield* answer.stopped()
    const error = fromAgentsError(thrown, answer.failure)
    if (!(error instanceof ModelError)) throw error
    logModelError(turn, error)
    throw error.withMessages(options.errorMessages ?? {})
  } finally {
    turn.signal.removeEventListener('abort', stop)
    leave?.()
  }
}

/** Everything that arrives until the run is over. @throws what the run threw. */
async function* told<Context>(
  { turn }: AgentContext<Context>,
  answer: Answer,
  channel: Channel
): AsyncGenerator<ResponderEvent, void, undefined> {
  for (let over = false; !over; )
    for (const arrival of await channel.take()) {
      turn.signal.throwIfAborted()
      if (arrival.type === 'failure') throw arrival.error
      if (arrival.type === 'end') {
        over = true
        continue
      }
      const events = answer.take(arrival)
      yield* events instanceof Promise ? await events : events
    }
  // An aborted run ends as quietly as a complete one.
  turn.signal.throwIfAborted()
}

function* end<Context>(
  { turn }: AgentContext<Context>,
  answer: Answer,
  channel: Channel,
  run: StreamedRun
): Generator<ResponderEvent> {
  const call = channel.clientCall
  channel.clientCall = null
  const about = { threadId: turn.thread.id, requestId: turn.requestId }
  for (const { name, rawItem } of run.interruptions) {
    if (name !== undefined && channel.clientTools.has(name)) continue
    // The SDK asks for approval of what it cannot read.
    if (!hasJson(rawItem)) throw new ModelError('answer', { detail: `The arguments for the tool ${name} are no JSON` })
    turn.log.warn({ tool: name, ...about }, 'A tool waits for an approval, which nobody can give here')
  }
  if (call) yield* answer.handOver(call)
  else {
    yield* answer.settle()
    if (!answer.shown) turn.log.warn(about, 'A run ended with nothing to show')
  }
}

/**
 * Has everything a run tells arrive in a channel, at once: only so is it in order with what tools tell.
 *
 * @returns ends the run, and with it the request to the model.
 */
function listen(run: StreamedRun, channel: Channel): () => void {
  if (typeof run.toStream !== 'function') throw new TypeError('The agent must be run with stream: true')
  const reader = (run.toStream() as unknown as ReadableStream<RunStreamEvent>).getReader()
  const read = async () => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return channel.push({ type: 'end' })
      channel.push({ type: 'run', event: value })
    }
  }
  read().catch((error: unknown) => {
    // What a guardrail forbids is not shown first.
    if (guardrailIn(error) !== null) channel.clear()
    channel.push({ type: 'failure', error })
  })
  return () => void reader.cancel().catch(() => undefined)
}

function hasJson(call: object): boolean {
  if (!('arguments' in call) || typeof call.arguments !== 'string') return true
  try {
    JSON.parse(call.arguments)
    return true
  } catch {
    return false
  }
}
