import type { ModelMessage, ModelPart } from '../model-input.ts'

type WirePart =
  | { type: 'text'; text: string }
  | { type: 'image_url'; image_url: { url: string } }
  | { type: 'file'; file: { file_data: string; filename?: string } }

/** A call, as a model made it. `arguments` is JSON text. */
export type WireCall = { id: string; type: 'function'; function: { name: string; arguments: string } }

/** A message of the chat completions protocol. */
export type WireMessage =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string | WirePart[] }
  | { role: 'assistant'; content: string | null; tool_calls?: WireCall[]; [reasoning: string]: unknown }
  | { role: 'tool'; tool_call_id: string; content: string }

/**
 * Messages for a chat completions server. Neighbours of one role become one: many open models refuse a conversation that does not alternate.
 */
export function toWireMessages(messages: readonly ModelMessage[]): WireMessage[] {
  const wire: WireMessage[] = []
  for (const message of messages) {
    const last = wire.at(-1)
    switch (message.type) {
      case 'user':
        if (last?.role === 'user') last.content = join(last.content, userContent(message.content))
        else wire.push({ role: 'user', content: userContent(message.content) })
        break
      case 'assistant': {
        const content = message.content.join('\n\n')
        if (last?.role === 'assistant' && !last.tool_calls) last.content = `${last.content ?? ''}\n\n${content}`
        else wire.push({ role: 'assistant', content })
        break
      }
      case 'tool_call': {
        const call: WireCall = {
          id: message.callId,
          type: 'function',
          function: { name: message.name, arguments: JSON.stringify(message.arguments) }
        }
        // What was said before a call belongs to it.
        if (last?.role === 'assistant' && !last.tool_calls) last.tool_calls = [call]
        else wire.push({ role: 'assistant', content: null, tool_calls: [call] })
        break
      }
      case 'tool_output':
        wire.push({ role: 'tool', tool_call_id: message.callId, content: outputText(message.output) })
    }
  }
  return wire
}

/** What a tool gave, as text for a model: text as it is, all else as JSON. */
export function outputText(output: unknown): string {
  return typeof output === 'string' ? output : (JSON.stringify(output) ?? 'null')
}

function userContent(parts: ModelPart[]): string | WirePart[] {
  // Text alone goes as text: some servers know no parts.
  if (parts.every(part => part.type === 'text')) return parts.map(part => part.text).join('\n\n')
  return parts.map(wirePart)
}

function wirePart(part: ModelPart): WirePart {
  switch (part.type) {
    case 'text':
      return part
    case 'image':
      return { type: 'image_url', image_url: { url: part.url } }
    case 'file':
      return { type: 'file', file: { file_data: part.url, ...(part.filename ? { filename: part.filename } : {}) } }
  }
}

function join(before: string | WirePart[], after: string | WirePart[]): string | WirePart[] {
  if (typeof before === 'string' && typeof after === 'string') return `${before}\n\n${after}`
  const parts = (content: string | WirePart[]): WirePart[] =>
    typeof content === 'string' ? [{ type: 'text', text: content }] : content
  return [...parts(before), ...parts(after)]
}
