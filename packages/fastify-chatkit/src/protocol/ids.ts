import { randomBytes } from 'node:crypto'

/** Prefixes of the ids a server mints. Those of thread to hidden marker are the reference server's. */
export const idPrefixes = {
  thread: 'thr',
  attachment: 'atc',
  task: 'tsk',
  user_message: 'msg',
  assistant_message: 'msg',
  widget: 'msg',
  generated_image: 'msg',
  client_tool_call: 'tc',
  workflow: 'wf',
  sdk_hidden_context: 'shcx',
  hidden_context_item: 'hcx',
  structured_input: 'si',
  end_of_turn: 'eot'
} as const

/** What an id can be for. */
export type IdKind = keyof typeof idPrefixes

/**
 * A new id: the prefix of its kind, then 96 random bits in hexadecimal.
 *
 * The reference server takes 32 bits, of which two are expected to be equal after some 77,000.
 */
export function newId(kind: IdKind): string {
  return `${idPrefixes[kind]}_${randomBytes(12).toString('hex')}`
}

/** Makes ids in place of `newId`. Each must be new, and at most 256 characters without NUL. */
export type IdFactory = (kind: IdKind) => string
