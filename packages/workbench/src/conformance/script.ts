import type { ActionTurn, ThreadItem, ThreadStatus, Turn, UserMessageItem } from 'fastify-chatkit'

/** One step of a recorded script; test/recordings/README.md has the language. */
export type Step = Record<string, unknown>

/** JSON text with keys sorted at every level. */
export function canon(value: unknown): string {
  return JSON.stringify(sorted(value) ?? null)
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}

/** The script in a text, when it is one. */
function scriptIn(text: string): Step[] | null {
  if (!text.startsWith('[')) return null
  try {
    const script: unknown = JSON.parse(text)
    return isScript(script) ? script : null
  } catch {
    return null
  }
}

export function isScript(value: unknown): value is Step[] {
  return Array.isArray(value)
}

/** All text of a message, tags apart. */
export function textOf(item: UserMessageItem): string {
  return item.content.map(part => (part.type === 'input_text' ? part.text : '')).join('')
}

/** The script of a turn, or the text said where there is none. */
export async function scriptOf(turn: Turn): Promise<Step[] | string> {
  if (turn.input) return scriptIn(textOf(turn.input)) ?? `echo: ${textOf(turn.input)}`
  const { data } = await turn.items.list({ limit: 20, order: 'desc' })
  for (const item of data) {
    if (item.type === 'client_tool_call' && item.status === 'completed') {
      const script = property(item.output, 'script')
      return isScript(script) ? script : `tool output: ${canon(item.output ?? null)}`
    }
    if (item.type === 'structured_input' && item.status !== 'pending') {
      const carrier = item.inputs.find(input => input.id === 'script')
      const script = carrier && scriptIn(carrier.question)
      if (script) return script
      const answers = Object.fromEntries(item.inputs.map(input => [input.id, input.answer]))
      return `structured input ${item.status}: ${canon(answers)}`
    }
  }
  return 'tool output: null'
}

export function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

const placeholder = /^\$([mtwk])\d+$/
const kinds = { m: 'assistant_message', t: 'client_tool_call', w: 'workflow', k: 'task' } as const

/** Puts ids in the place of `$m1`, `$thread` and the like: the same one each time within one run of a script. */
export function placeholders(turn: Turn | ActionTurn): (value: unknown) => unknown {
  const ids = new Map<string, string>()
  const one = (text: string): unknown => {
    if (text === '$thread') return turn.thread.id
    if (text === '$now') return new Date().toISOString()
    if (text === '$sender') return 'sender' in turn ? (turn.sender?.id ?? null) : null
    const kind = placeholder.exec(text)?.[1]
    if (kind !== 'm' && kind !== 't' && kind !== 'w' && kind !== 'k') return text
    const id = ids.get(text) ?? turn.newItemId(kinds[kind])
    ids.set(text, id)
    return id
  }
  const resolve = (value: unknown): unknown => {
    if (typeof value === 'string') return one(value)
    if (Array.isArray(value)) return value.map(resolve)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]))
  }
  return resolve
}

/** Changes the thread as a step says. @returns whether the step was such a one. */
export function changeThread({ thread }: Turn, step: Step): boolean {
  if ('setTitle' in step) thread.title = step.setTitle as string | null
  else if ('setStatus' in step) thread.status = step.setStatus as ThreadStatus
  else if ('setImageDomains' in step) thread.allowed_image_domains = step.setImageDomains as string[] | null
  else if ('setMetadata' in step) Object.assign(thread.metadata, step.setMetadata)
  else return false
  return true
}

/** What `echoInput` says. */
export function echoOfInput(turn: Turn | ActionTurn): string {
  if ('action' in turn) {
    const { type, payload = null } = turn.action
    const plain = typeof payload === 'object' && payload !== null && !Array.isArray(payload)
    const { script: _, ...rest } = plain ? (payload as Record<string, unknown>) : {}
    return canon({ action: { type, payload: plain ? rest : payload }, sender: turn.sender?.id ?? null })
  }
  if (!turn.input) return canon({ input: null })
  const { id, quoted_text = null, inference_options, content, attachments } = turn.input
  return canon({
    item: id,
    quoted_text,
    inference_options,
    content: content.map(part =>
      part.type === 'input_text' && scriptIn(part.text) ? { ...part, text: '(script)' } : part
    ),
    attachments: attachments.map(({ id, type, thread_id }) => ({ id, type, thread_id }))
  })
}

/** What `echoThread` says. */
export function echoOfThread({ thread }: Turn): string {
  const { id, title = null, status, allowed_image_domains = null, metadata } = thread
  return canon({ id, title, status, allowed_image_domains, metadata })
}

/** What `echoItems` says of one item. */
export function echoOfItem(item: ThreadItem): object {
  return {
    id: item.id,
    type: item.type,
    ...('status' in item ? { status: item.status } : {}),
    ...('output' in item && item.output !== undefined ? { output: item.output } : {}),
    ...(item.type === 'hidden_context_item' || item.type === 'sdk_hidden_context' ? { content: item.content } : {}),
    ...(item.type === 'assistant_message' ? { text: item.content.map(part => part.text).join('') } : {})
  }
}
