import type { ModelMessage, ModelPart } from '../model-input.ts'

type Json = null | string | number | boolean | Json[] | { [key: string]: Json }
type UserPart = { type: 'text'; text: string } | { type: 'file'; data: URL; mediaType: string; filename?: string }
type AssistantPart =
  | { type: 'text'; text: string }
  | { type: 'tool-call'; toolCallId: string; toolName: string; input: Record<string, unknown> }
type ToolPart = { type: 'tool-result'; toolCallId: string; toolName: string; output: { type: 'json'; value: Json } }

/** A message as the AI SDK, from 5 to 7, takes it. */
export type AiSdkMessage =
  | { role: 'user'; content: UserPart[] }
  | { role: 'assistant'; content: AssistantPart[] }
  | { role: 'tool'; content: ToolPart[] }

/**
 * Messages for `streamText`. Neighbours of one role become one: many open models refuse a conversation that does not alternate.
 *
 * @throws TypeError for an image or a file whose URL is none.
 */
export function aiSdkMessages(messages: readonly ModelMessage[]): AiSdkMessage[] {
  const told: AiSdkMessage[] = []
  for (const message of messages) {
    const last = told.at(-1)
    switch (message.type) {
      case 'user': {
        const content = message.content.map(userPart)
        if (last?.role === 'user') last.content.push(...content)
        else told.push({ role: 'user', content })
        break
      }
      case 'assistant':
        assistant(told, ...message.content.map(text => ({ type: 'text' as const, text })))
        break
      case 'tool_call': {
        const { callId: toolCallId, name: toolName, arguments: input } = message
        assistant(told, { type: 'tool-call', toolCallId, toolName, input })
        break
      }
      case 'tool_output': {
        const { callId: toolCallId, name: toolName, output } = message
        told.push({
          role: 'tool',
          content: [{ type: 'tool-result', toolCallId, toolName, output: { type: 'json', value: output as Json } }]
        })
      }
    }
  }
  return told
}

function assistant(told: AiSdkMessage[], ...parts: AssistantPart[]): void {
  const last = told.at(-1)
  if (last?.role === 'assistant') last.content.push(...parts)
  else told.push({ role: 'assistant', content: parts })
}

function userPart(part: ModelPart): UserPart {
  if (part.type === 'text') return { type: 'text', text: part.text }
  const data = new URL(part.url)
  if (part.type === 'image') return { type: 'file', data, mediaType: part.mediaType ?? 'image/*' }
  return { type: 'file', data, mediaType: part.mediaType, ...(part.filename ? { filename: part.filename } : {}) }
}
