import { unlessAborted } from '../../unless-aborted.ts'
import type { Responder, Turn } from '../responder.ts'
import { limitTime } from './limit-time.ts'

/** Asks a model for a few words. */
export type Ask = (prompt: string, options: { signal: AbortSignal }) => Promise<string> | AsyncIterable<string>

/** How `withTitle` asks for a title. Times are in milliseconds. */
export type TitleOptions = {
  /** UTF-16 units a title may have. @default 80 */
  maxLength?: number
  /** How long the model may take. @default 10_000 */
  timeoutMs?: number
  /** While the answer is made, or after it: a model on one's own machine may do one thing at a time. @default "meanwhile" */
  when?: 'meanwhile' | 'afterwards'
  /** What the model is asked. @default a name of at most six words, in the language of the message */
  prompt?(message: string): string
}

/** How much of a message a model needs to name it. */
const enough = 2000

/**
 * A responder that also names threads which have no title: a model is asked, with the first message.
 *
 * ```ts
 * respond: withTitle(respond, askChatCompletions({ baseUrl, model }))
 * ```
 *
 * The answer never suffers: a title that does not come in time, or cannot be had, is logged and asked for again with the next message.
 */
export function withTitle<Context = unknown>(
  respond: Responder<Context>,
  ask: Ask,
  options: TitleOptions = {}
): Responder<Context> {
  return async function* (turn) {
    const message = turn.input?.content.map(part => part.text).join('') ?? ''
    if (turn.thread.title || message.trim() === '') {
      yield* respond(turn)
      return
    }
    const left = new AbortController()
    const begin = () => nameThread(turn, ask, message, left.signal, options)
    try {
      const meanwhile = options.when === 'afterwards' ? null : begin()
      yield* respond(turn)
      await (meanwhile ?? begin())
    } finally {
      left.abort()
    }
  }
}

// Never rejects.
async function nameThread(turn: Turn, ask: Ask, message: string, left: AbortSignal, options: TitleOptions) {
  const { timeoutMs = 10_000, prompt = defaultPrompt } = options
  const late = () => new DOMException(`No title came within ${timeoutMs} ms`, 'TimeoutError')
  const { signal, clear } = limitTime([left, turn.signal], timeoutMs, late)
  try {
    const asked = (async () => {
      const answer = ask(prompt(message.slice(0, enough)), { signal })
      if (answer instanceof Promise) return await answer
      let text = ''
      for await (const delta of answer as AsyncIterable<string>) text += delta
      return text
    })()
    // An `ask` that does not look at its signal is not waited for.
    const title = titleFrom(await unlessAborted(asked, signal), options.maxLength)
    if (title === '') throw new Error('The model gave no words for a title')
    // The user may have named it meanwhile.
    if (!turn.thread.title) turn.thread.title = title
  } catch (err) {
    if (left.aborted || turn.signal.aborted) return
    turn.log.warn({ err, threadId: turn.thread.id, requestId: turn.requestId }, 'A thread could not be given a title')
  } finally {
    clear()
  }
}

function defaultPrompt(message: string): string {
  return `Name the conversation that begins with the message below, in at most six words and in the language of the message. Answer with the name alone.\n\n<Message>\n${message}\n</Message>`
}

/**
 * A title from what a model said: its first line, without quotes, Markdown, thoughts or a full stop, and not too long.
 *
 * @returns an empty text when nothing is left.
 */
export function titleFrom(text: string, maxLength = 80): string {
  const lines = text.replace(/<think>[\s\S]*?(<\/think>|$)/g, '').split('\n')
  const line = lines.map(one => one.trim()).find(one => one !== '') ?? ''
  const bare = line
    .replace(/^(#+\s+|title:\s*)/i, '')
    .replaceAll(/\*\*|__/g, '')
    .replace(/^["'“”„«»‘’`]+/, '')
    .replace(/["'“”„«»‘’`.]+$/, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  if (bare.length <= maxLength) return bare
  // Between words, where there are any, and never within a character.
  const cut = bare.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')
  const space = bare[maxLength - 1] === ' ' ? cut.length : cut.lastIndexOf(' ')
  return `${space >= maxLength / 2 ? cut.slice(0, space) : cut}…`
}
