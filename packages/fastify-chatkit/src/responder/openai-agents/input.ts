import type { AgentInputItem } from '@openai/agents'
import type { ModelMessage, ModelPart } from '../model-input.ts'

type User = Extract<AgentInputItem, { role: 'user' }>
type UserPart = Exclude<User['content'], string>[number]

/**
 * Input for the SDK's `run`. Neighbours of one role become one: many open models refuse a conversation that does not alternate.
 *
 * Items have no ids: with ids of its own the Responses API would also want the reasoning that came before them.
 */
export function agentInput(messages: readonly ModelMessage[]): AgentInputItem[] {
  const input: AgentInputItem[] = []
  for (const message of messages) {
    const last = input.at(-1)
    switch (message.type) {
      case 'user': {
        const content = message.content.map(userPart)
        if (last && 'role' in last && last.role === 'user' && typeof last.content !== 'string')
          last.content.push(...content)
        else input.push({ type: 'message', role: 'user', content })
        break
      }
      case 'assistant': {
        const content = message.content.map(text => ({ type: 'output_text' as const, text }))
        if (last && 'role' in last && last.role === 'assistant') last.content.push(...content)
        else input.push({ type: 'message', role: 'assistant', status: 'completed', content })
        break
      }
      case 'tool_call': {
        const { callId, name } = message
        const json = JSON.stringify(message.arguments)
        input.push({ type: 'function_call', callId, name, arguments: json, status: 'completed' })
        break
      }
      case 'tool_output': {
        const { callId, name, output } = message
        input.push({ type: 'function_call_result', callId, name, status: 'completed', output: asText(output) })
      }
    }
  }
  return input.map(asPlain)
}

/** Text alone goes as text: some servers know no parts. */
function asPlain(item: AgentInputItem): AgentInputItem {
  if (!('role' in item) || item.role !== 'user' || typeof item.content === 'string') return item
  const texts = item.content.map(part => (part.type === 'input_text' ? part.text : null))
  return texts.includes(null) ? item : { ...item, content: texts.join('\n\n') }
}

function userPart(part: ModelPart): UserPart {
  switch (part.type) {
    case 'text':
      return { type: 'input_text', text: part.text }
    case 'image':
      return { type: 'input_image', image: part.url }
    case 'file':
      return { type: 'input_file', file: part.url, ...(part.filename ? { filename: part.filename } : {}) }
  }
}

/** What a tool gave, as text for a model: text as it is, all else as JSON. */
export function asText(output: unknown): string {
  return typeof output === 'string' ? output : (JSON.stringify(output) ?? 'null')
}
