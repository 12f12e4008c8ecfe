import type { Responder } from './responder.ts'
import { say } from './say.ts'

/** Says the message back, a word at a time; for first runs. */
export const echo: Responder = turn => {
  const text = turn.input?.content.map(part => part.text).join('') ?? ''
  return say(turn, text.match(/\s*\S+|\s+$/g) ?? [])
}
