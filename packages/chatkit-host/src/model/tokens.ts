import type { ModelMessage } from 'fastify-chatkit'
import { messageLength } from 'fastify-chatkit'

/** What a message costs beside its text: its role, and what parts it from the next. */
const PER_MESSAGE = 4

/**
 * About how many tokens a text has, rather too many than too few. Tokenizers differ, and none is worth loading for a budget:
 * English has some four bytes a token, most other writings about three.
 */
export function tokensIn(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 3)
}

/** The same for a message; a picture or a file counts as a thousand. */
export function tokensOf(message: ModelMessage): number {
  switch (message.type) {
    case 'user':
      return sum(message.content.map(part => (part.type === 'text' ? tokensIn(part.text) : 1000)))
    case 'assistant':
      return sum(message.content.map(tokensIn))
    default:
      return PER_MESSAGE + Math.ceil(messageLength(message) / 3)
  }
}

function sum(counts: number[]): number {
  return counts.reduce((total, count) => total + count, PER_MESSAGE)
}
