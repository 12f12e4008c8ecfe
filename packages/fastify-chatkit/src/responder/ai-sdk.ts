import type { ResponderEvent } from '../protocol/event.ts'
import { fromAiSdkError } from './ai-sdk/error.ts'
import { type AiSdkMessage, aiSdkMessages } from './ai-sdk/messages.ts'
import { type AiSdkFile, type AiSdkResult, type KnownPart, partsOf } from './ai-sdk/part.ts'
import { Texts } from './ai-sdk/texts.ts'
import { handOver } from './helpers/hand-over.ts'
import { Thoughts } from './helpers/thoughts.ts'
import { logModelError, ModelError, type ModelErrorMessages } from './model-error.ts'
import { type ModelInputOptions, modelInput } from './model-input.ts'
import type { Responder, Turn } from './responder.ts'

export { type AiSdkMessage, aiSdkMessages } from './ai-sdk/messages.ts'
export type { AiSdkFile, AiSdkPart, AiSdkResult } from './ai-sdk/part.ts'

export type AiSdkOptions = {
  /** Shows what the model thinks. @default true */
  reasoning?: boolean
  /** Where the reader's browser finds a picture the model made. @default a data URL, which the thread then has in it */
  imageUrl?(file: AiSdkFile): string | Promise<string>
  /** In place of the English words a reader gets when the model fails. */
  errorMessages?: Partial<ModelErrorMessages>
}

/**
 * Answers with the AI SDK's `streamText`, in any version from 5 to 7.
 *
 * ```ts
 * respond: aiSdk((turn, messages) =>
 *   streamText({ model, messages, tools, stopWhen: stepCountIs(8), abortSignal: turn.signal, onError: () => {} })
 * )
 * ```
 *
 * Give it the turn's signal: without it the model goes on when the reader has left. Give it an `onError` too: its own prints the
 * error, with the conversation in it; what went wrong is in the app's log already.
 *
 * @param options.input how the thread is told to the model.
 */
export function aiSdk<Context = unknown>(
  stream: (turn: Turn<Context>, messages: AiSdkMessage[]) => AiSdkResult | Promise<AiSdkResult>,
  options: AiSdkOptions & { input?: ModelInputOptions } = {}
): Responder<Context> {
  return async function* (turn) {
    const messages = aiSdkMessages(await modelInput(turn, options.input))
    yield* fromAiSdk(turn, await stream(turn, messages), options)
  }
}

/**
 * The events of what `streamText` returned: text, thoughts, sources, pictures.
 *
 * A call of a tool that has no `execute` is the page's: it ends the turn as a client tool call under the model's id.
 *
 * @throws the turn's reason when it was aborted, however quietly the SDK took that; ModelError, after one line in the log, for a
 * failure of the model.
 */
export async function* fromAiSdk(
  turn: Turn,
  result: AiSdkResult,
  options: AiSdkOptions = {}
): AsyncGenerator<ResponderEvent, void, undefined> {
  try {
    yield* new Answer(turn, options).show(partsOf(result))
  } catch (thrown) {
    turn.signal.throwIfAborted()
    const error = fromAiSdkError(thrown)
    if (!(error instanceof ModelError)) throw error
    logModelError(turn, error)
    throw error.withMessages(options.errorMessages ?? {})
  }
}

type Part<Type extends KnownPart['type']> = Extract<KnownPart, { type: Type }>

class Answer {
  readonly #turn: Turn
  readonly #options: AiSdkOptions
  readonly #texts: Texts
  readonly #thoughts: Thoughts
  /** Calls nobody has answered yet, by the model's id. */
  readonly #calls = new Map<string, Part<'tool-call'>>()
  readonly #used: string[] = []
  #shown = false

  constructor(turn: Turn, options: AiSdkOptions) {
    this.#turn = turn
    this.#options = options
    this.#texts = new Texts(turn)
    this.#thoughts = new Thoughts(turn, options.reasoning ?? true)
  }

  async *show(parts: AsyncIterable<KnownPart>): AsyncGenerator<ResponderEvent, void, undefined> {
    for await (const part of parts) {
      const events = this.#take(part)
      yield* events instanceof Promise ? await events : events
    }
    // An aborted stream ends as quietly as a complete one.
    this.#turn.signal.throwIfAborted()
    yield* this.#texts.settle(true)
    yield* this.#thoughts.end()
    const [call, ...others] = this.#calls.values()
    if (call) {
      for (const { toolName } of others)
        this.#warn({ tool: toolName }, 'One client tool at a time: a second call is dropped')
      const { toolCallId: callId, toolName: name, input } = call
      yield* handOver(this.#turn, { callId, name, arguments: asObject(input) }, this.#used)
    } else if (!this.#texts.said && !this.#shown) {
      if (this.#used.length === 0) throw new ModelError('answer', { detail: 'The model said nothing' })
      this.#warn({}, 'The answer ended with a tool’s output and no text; should stopWhen allow another step?')
    }
  }

  #take(part: KnownPart): ResponderEvent[] | Promise<ResponderEvent[]> {
    const [texts, thoughts] = [this.#texts, this.#thoughts]
    switch (part.type) {
      case 'text-start':
        return texts.begin(part.id)
      case 'text-delta': {
        const events = texts.say(part.id, part.text)
        // Empty lines do not end the thoughts.
        return events.length > 0 ? [...thoughts.end(), ...events] : []
      }
      case 'text-end':
        texts.end(part.id)
        return []
      case 'reasoning-start':
      case 'tool-input-start':
        return texts.settle()
      case 'reasoning-delta':
        return thoughts.think(part.text)
      case 'reasoning-end':
        return thoughts.endThought()
      case 'source':
        return this.#cite(part)
      case 'file':
        return this.#picture(part.file)
      case 'finish-step':
        return [...texts.settle(true), ...thoughts.endThought()]
      case 'finish':
        this.#finish(part.finishReason)
        return []
      case 'abort':
        this.#turn.signal.throwIfAborted()
        throw new ModelError('timeout', { detail: 'The stream was aborted by another signal than the turn’s' })
      case 'error':
        throw part.error
      default:
        return this.#tool(part)
    }
  }

  #tool(part: KnownPart): ResponderEvent[] {
    switch (part.type) {
      case 'tool-call':
        // A call the SDK cannot read goes back to the model.
        if (!part.providerExecuted && !part.invalid) this.#calls.set(part.toolCallId, part)
        return this.#texts.settle(true)
      case 'tool-result':
        if (part.preliminary) return []
        this.#calls.delete(part.toolCallId)
        this.#used.push(`${part.toolName}(${JSON.stringify(part.input)}): ${JSON.stringify(part.output)}`)
        return []
      case 'tool-error':
        this.#calls.delete(part.toolCallId)
        this.#used.push(`${part.toolName}: it failed`)
        this.#warn({ tool: part.toolName, err: part.error }, 'A tool failed; the model is told so')
        return []
      case 'tool-output-denied':
        this.#calls.delete(part.toolCallId)
        return []
      case 'tool-approval-request':
        this.#calls.delete(part.toolCall.toolCallId)
        this.#warn(
          { tool: part.toolCall.toolName },
          'ChatKit cannot ask for approval of a tool call: ask with a widget'
        )
        return []
      default:
        return []
    }
  }

  #cite({ sourceType, url, title, filename }: Part<'source'>): ResponderEvent[] {
    if (sourceType === 'url' && url) return this.#texts.cite({ type: 'url', url, title: title ?? url }, url)
    const name = filename ?? title
    if (sourceType !== 'document' || !name) return []
    return this.#texts.cite({ type: 'file', filename: name, title: title ?? name }, `file ${name}`)
  }

  async #picture(file: AiSdkFile): Promise<ResponderEvent[]> {
    if (!file.mediaType.startsWith('image/')) return []
    this.#shown = true
    const url = (await this.#options.imageUrl?.(file)) ?? `data:${file.mediaType};base64,${file.base64}`
    const id = this.#turn.newItemId('generated_image')
    const item = { type: 'generated_image' as const, id, image: { id, url } }
    return [...this.#texts.settle(true), ...this.#thoughts.end(), { type: 'thread.item.done', item }]
  }

  #finish(reason: string): void {
    if (reason === 'content-filter') throw new ModelError('filtered')
    if (reason === 'error') throw new ModelError('answer', { detail: 'The model ended with an error' })
    if (reason === 'length') this.#warn({}, 'An answer was cut off: it reached the greatest length the model may use')
  }

  #warn(details: object, message: string): void {
    const { log, thread, requestId } = this.#turn
    log.warn({ ...details, threadId: thread.id, requestId }, message)
  }
}

function asObject(input: unknown): Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input) ? { ...input } : {}
}
