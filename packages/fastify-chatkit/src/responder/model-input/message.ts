/** A piece of what a user says to a model. */
export type ModelPart =
  | { type: 'text'; text: string }
  /** `url` may be a `data:` URL. */
  | { type: 'image'; url: string; mediaType?: string }
  /** `url` may be a `data:` URL. */
  | { type: 'file'; url: string; mediaType: string; filename?: string }

/**
 * What a model is given, in no provider's own form. A call and its output always come together, the call first.
 */
export type ModelMessage =
  | { type: 'user'; content: ModelPart[] }
  | { type: 'assistant'; content: string[] }
  | { type: 'tool_call'; callId: string; name: string; arguments: Record<string, unknown> }
  /** `output` is JSON of any shape; `null` when the tool gave nothing. */
  | { type: 'tool_output'; callId: string; name: string; output: unknown }

/** A user's message of text alone. */
export function userText(text: string): ModelMessage {
  return { type: 'user', content: [{ type: 'text', text }] }
}

/** A data URL is as long as its bytes; what it costs a model is not. */
const partLength = 3000

/** UTF-16 units of a message's text. An image or a file counts as 3000; English has about four a token. */
export function messageLength(message: ModelMessage): number {
  switch (message.type) {
    case 'user':
      return sum(message.content.map(part => (part.type === 'text' ? part.text.length : partLength)))
    case 'assistant':
      return sum(message.content.map(text => text.length))
    case 'tool_call':
      return message.name.length + JSON.stringify(message.arguments).length
    case 'tool_output':
      return (JSON.stringify(message.output) ?? 'null').length
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
