import { ModelError } from '../model-error.ts'

/** Shorter lines are no secret by themselves, and would make holes in words that are the provider's own. */
const MIN_LINE = 12
const MIN_MESSAGE = 6

/** By so much of its beginning a quote is known that the provider cut short. */
const BEGINNING = 24

/** The same error without what the provider quoted of the request: what was said belongs into no log. */
export function withoutRequest(error: ModelError, body: object): ModelError {
  const { detail } = error.failure
  if (detail === undefined || detail === '') return error
  let told = detail
  for (const text of textsOf(body)) {
    // Some quote it as it stands in JSON.
    for (const form of [text, JSON.stringify(text).slice(1, -1)]) {
      told = told.replaceAll(form, '…')
      if (form.length < BEGINNING) continue
      const at = told.indexOf(form.slice(0, BEGINNING))
      if (at >= 0) told = `${told.slice(0, at)}…`
    }
  }
  return told === detail ? error : new ModelError(error.reason, { ...error.failure, detail: told })
}

/** What was said in a request, whole messages first, then their lines. */
function textsOf(body: object): string[] {
  const messages = 'messages' in body && Array.isArray(body.messages) ? body.messages : []
  const texts = messages.flatMap((message: { content?: unknown }) => contents(message.content))
  const lines = texts.flatMap(text => text.split('\n').map(line => line.trim()))
  return [...texts.filter(text => text.trim().length >= MIN_MESSAGE), ...lines.filter(line => line.length >= MIN_LINE)]
}

function contents(content: unknown): string[] {
  if (typeof content === 'string') return [content]
  if (!Array.isArray(content)) return []
  return content.flatMap((part: { text?: unknown }) => (typeof part.text === 'string' ? [part.text] : []))
}
