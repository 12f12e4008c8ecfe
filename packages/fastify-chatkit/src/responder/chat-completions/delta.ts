import { ModelError, type ModelFailure, modelError } from '../model-error.ts'

/** A piece of a tool call. */
export type CallFragment = { index: number | null; id: string; name: string; arguments: string }

/** How many tokens an answer took, in the provider's own words. */
export type Usage = Record<string, unknown>

/** What one chunk of an answer adds to it. */
export type Delta = {
  text: string
  reasoning: string
  /** The field that reasoning came in: some providers want it back under that name. */
  reasoningField: string | null
  citations: { url: string; title: string; index: number | null }[]
  calls: CallFragment[]
  /** Why the answer ended, once it has. */
  finish: string | null
  usage: Usage | null
}

type Json = Record<string, unknown>

/**
 * Reads one chunk, or a whole answer from a server that does not stream.
 *
 * Servers differ in what they leave out, so only what is understood is taken.
 *
 * @throws ModelError for an error in place of a chunk, and for what is no JSON object.
 */
export function parseDelta(data: string): Delta {
  const chunk = objectFrom(data)
  const failure = failureIn(chunk)
  if (failure) throw modelError(failure)
  const choice = first(chunk.choices)
  const delta = asObject(choice.delta ?? choice.message)
  const content = contentOf(delta.content)
  const reasoningField = ['reasoning_content', 'reasoning'].find(field => text(delta[field]) !== '') ?? null
  return {
    text: content.text + text(delta.refusal),
    reasoning: (reasoningField ? text(delta[reasoningField]) : '') + content.reasoning,
    reasoningField,
    citations: list(delta.annotations).map(asObject).flatMap(citation),
    // A whole message numbers its calls by their order alone.
    calls: list(delta.tool_calls).map((call, order) => fragment(asObject(call), choice.message ? order : null)),
    finish: text(choice.finish_reason) || null,
    usage: isObject(chunk.usage) ? chunk.usage : null
  }
}

/** The failure that an answer of whatever shape speaks of, or `null`. */
export function failureIn(body: unknown, status?: number): ModelFailure | null {
  const root = Array.isArray(body) ? asObject(body[0]) : asObject(body)
  const { error } = root
  if (typeof error === 'string') return { status, detail: error }
  if (isObject(error)) {
    const code = error.code
    return {
      status: status ?? httpStatus(code) ?? httpStatus(error.status_code),
      code: [error.type, code].filter(one => typeof one === 'string').join(' ') || undefined,
      detail: text(error.message) || JSON.stringify(error)
    }
  }
  if (root.object === 'error' || status !== undefined) {
    const detail = text(root.message) || text(root.detail)
    const code = text(root.type) || text(root.code)
    return { status: status ?? httpStatus(root.code), code: code || undefined, detail: detail || undefined }
  }
  return null
}

/** An answer from its pieces: some send a call's parts under an index, some without, some all under the same. */
export class CallCollector {
  readonly #calls: { index: number | null; id: string; name: string; arguments: string }[] = []

  add(piece: CallFragment): void {
    const open = this.#calls.findLast(call => piece.index === null || call.index === piece.index)
    const isNew =
      !open ||
      (piece.id !== '' && open.id !== '' && piece.id !== open.id) ||
      (piece.index === null && piece.id === '' && piece.name !== '' && open.name !== '')
    if (isNew) {
      this.#calls.push({ ...piece })
      return
    }
    open.id ||= piece.id
    // Some repeat the name with each piece.
    open.name ||= piece.name
    open.arguments += piece.arguments
  }

  /** @param newId names calls that came without an id. */
  all(newId: () => string): { id: string; name: string; arguments: string }[] {
    return this.#calls.map(({ id, name, arguments: json }) => ({ id: id || newId(), name, arguments: json }))
  }
}

function fragment(call: Json, position: number | null): CallFragment {
  const { name, arguments: given } = asObject(call.function)
  const index = call.index
  return {
    index: typeof index === 'number' ? index : position,
    id: text(call.id),
    name: text(name),
    arguments: isObject(given) ? JSON.stringify(given) : text(given)
  }
}

function citation(annotation: Json): Delta['citations'] {
  const { url, title, end_index } = asObject(annotation.url_citation)
  if (typeof url !== 'string') return []
  return [{ url, title: text(title) || url, index: Number.isInteger(end_index) ? Number(end_index) : null }]
}

// Text, or a list of parts of which some are thoughts.
function contentOf(content: unknown): { text: string; reasoning: string } {
  const found = { text: text(content), reasoning: '' }
  for (const part of list(content).map(asObject))
    if (part.type === 'thinking')
      found.reasoning += list(part.thinking)
        .map(inner => text(asObject(inner).text))
        .join('')
    else found.text += text(part.text)
  return found
}

function objectFrom(data: string): Json {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch (cause) {
    throw new ModelError('answer', { detail: `No JSON: ${data.slice(0, 200)}`, cause })
  }
  if (Array.isArray(value)) return asObject(value[0])
  if (!isObject(value)) throw new ModelError('answer', { detail: `No object: ${data.slice(0, 200)}` })
  return value
}

function httpStatus(code: unknown): number | undefined {
  const status = Number(code)
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : undefined
}

function first(choices: unknown): Json {
  return asObject(list(choices).find(choice => (asObject(choice).index ?? 0) === 0))
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function asObject(value: unknown): Json {
  return isObject(value) ? value : {}
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
