import {
  ChatKitStreamError,
  ModelError,
  modelInput,
  notice,
  type Responder,
  type ResponderEvent,
  type ThreadStore,
  type Turn
} from 'fastify-chatkit'
import { chatCompletions } from 'fastify-chatkit/chat-completions'
import type pg from 'pg'
import { findFor, nameThread, textOf } from '../help-centre/answer.ts'
import type { HelpCentre } from '../help-centre/help-centre.ts'
import type { Found } from '../help-centre/search.ts'
import { allowance } from './allowance.ts'
import { citations } from './citations.ts'
import { cures } from './cures.ts'
import { instructions, type Person, withinBudget } from './instructions.ts'
import { Meter } from './meter.ts'
import { type ModelAnswer, publish } from './telemetry.ts'
import { tokensIn, tokensOf } from './tokens.ts'
import { ownTools } from './tools.ts'

/** Which model answers, and how much it may be asked for. Times are in milliseconds. */
export interface ModelOptions {
  /** Everything before `/chat/completions`. */
  baseUrl: string
  /** `null` for a server that wants none. */
  apiKey: string | null
  name: string
  /** Characters one message may have. */
  inputCharacters: number
  /** Tokens of instructions, passages and history together. */
  contextTokens: number
  outputTokens: number
  /** Of a user; 0 sets no limit. */
  tokensPerDay: number
  firstTokenTimeoutMs: number
  idleTimeoutMs: number
  answerTimeoutMs: number
}

/** What an answer is made from. */
export interface Surroundings {
  help: HelpCentre
  pool: pg.Pool
  threadStore: ThreadStore
  /** Answers a user who has no tokens left today. */
  withoutModel: Responder
}

/** What the application knows of whoever is asking. */
export interface AskedBy {
  user: Person
}

/** What the two tools cost in each request. */
const TOOLS_TOKENS = 200

/** However much the instructions take, so much is left for what was said. */
const LEAST_HISTORY = 500

/** Passages that are looked for; how many of them are told, their length says. */
const MAX_PASSAGES = 6

/** Answers with a model, which is given passages of the documents. */
export function answerWithModel(options: ModelOptions, around: Surroundings): Responder<AskedBy> {
  const { help, withoutModel } = around
  const tokens = allowance(around.pool, options.tokensPerDay)
  const ask = asker(options, around)

  return async function* (turn) {
    const question = textOf(turn.input)
    if (question.trim() === '' && (turn.input?.attachments.length ?? 0) === 0) {
      // Nothing to ask a model; some refuse to be asked nothing.
      yield* withoutModel(turn)
      return
    }
    nameThread(turn, question)
    const length = question.length + (turn.input?.quoted_text?.length ?? 0)
    if (length > options.inputCharacters)
      throw new ChatKitStreamError({
        message: `Your message is too long: please write at most ${options.inputCharacters} characters at a time.`
      })
    const passages = withinBudget(await passagesFor(turn, help, question), options.contextTokens / 2)
    const system = instructions(turn.context.user, passages)
    const input = await modelInput(turn, {
      maxLength: Math.max(LEAST_HISTORY, options.contextTokens - tokensIn(system) - TOOLS_TOKENS),
      measure: tokensOf,
      // Suggestions are for people.
      items: { widget: () => null },
      attachment: ({ name, mime_type }) => ({
        type: 'text',
        text: `(A file was attached that you cannot see: ${JSON.stringify({ name, type: mime_type })})`
      })
    })
    const expected = input.reduce((sum, message) => sum + tokensOf(message), tokensIn(system) + TOOLS_TOKENS)
    const meter = new Meter(expected)
    const reserved = await tokens.reserve(turn.owner, expected + options.outputTokens)
    if (reserved === null) {
      publish({ outcome: 'allowance', model: options.name, ...meter.figures })
      yield notice(
        'warning',
        'You have used up your answers of the assistant for today. Here is what the documents say.'
      )
      yield* withoutModel(turn)
      return
    }
    let outcome: ModelAnswer['outcome'] = 'left'
    try {
      yield* ask(turn, { system, input, passages, meter })
      outcome = 'answered'
    } catch (error) {
      if (!turn.signal.aborted) outcome = error instanceof ModelError ? error.reason : 'failed'
      throw error
    } finally {
      const { figures } = meter
      publish({ outcome, model: options.name, ...figures })
      await reserved.settle(figures.inputTokens + figures.outputTokens).catch((err: unknown) => {
        const { requestId } = turn
        turn.log.warn({ err, requestId }, 'What an answer took could not be counted; what was set aside for it stands')
      })
    }
  }
}

/** One request to the model, made ready. */
interface Asked {
  system: string
  input: Awaited<ReturnType<typeof modelInput>>
  passages: Found[]
  meter: Meter
}

function asker(options: ModelOptions, { help, pool, threadStore }: Surroundings) {
  const { baseUrl, apiKey, name, firstTokenTimeoutMs, idleTimeoutMs, answerTimeoutMs, outputTokens } = options
  const tools = ownTools(pool, threadStore)
  let takesTools = true

  const respond = ({ system, input, passages, meter }: Asked) =>
    chatCompletions({
      baseUrl,
      model: name,
      ...(apiKey === null ? {} : { apiKey }),
      instructions: system,
      input: () => input,
      tools: takesTools ? tools : [],
      maxSteps: 4,
      connectTimeoutMs: firstTokenTimeoutMs,
      firstTokenTimeoutMs,
      idleTimeoutMs,
      answerTimeoutMs,
      body: { [lengthField(baseUrl)]: outputTokens },
      annotate: text => citations(text, passages, help),
      onUsage: usage => meter.count(usage),
      cutOff: 'The answer ends here because it has reached its greatest length.',
      cures
    })

  return async function* (turn: Turn, asked: Asked): AsyncGenerator<ResponderEvent, void, undefined> {
    let shown = false
    try {
      for await (const event of respond(asked)(turn)) {
        shown = true
        asked.meter.hear(event)
        yield event
      }
    } catch (error) {
      if (shown || !takesTools || !isAboutTools(error)) throw error
      takesTools = false
      turn.log.warn(
        { model: name, requestId: turn.requestId },
        'The model takes no tools: it is asked without them from now on'
      )
      for await (const event of respond(asked)(turn)) {
        asked.meter.hear(event)
        yield event
      }
    }
  }
}

/** Newer hosted models refuse the old name; servers of one's own may not know the new one. */
function lengthField(baseUrl: string): string {
  return new URL(baseUrl).hostname === 'api.openai.com' ? 'max_completion_tokens' : 'max_tokens'
}

// Ollama: "… does not support tools"; vLLM: '"auto" tool choice requires …'; llama.cpp: "tools param requires --jinja flag".
function isAboutTools(error: unknown): boolean {
  return error instanceof ModelError && /\btools?\b/i.test(error.failure.detail ?? '')
}

async function passagesFor(turn: Turn, help: HelpCentre, question: string): Promise<Found[]> {
  try {
    return await findFor(turn, help, question, MAX_PASSAGES)
  } catch (err) {
    turn.signal.throwIfAborted()
    turn.log.warn(
      { err, requestId: turn.requestId },
      'The documents could not be searched: the model answers without them'
    )
    return []
  }
}
