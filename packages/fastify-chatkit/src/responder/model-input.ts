import type { ThreadItem } from '../protocol/item/registry.ts'
import { fromItem, type ItemHooks } from './model-input/from-item.ts'
import { type ModelMessage, messageLength } from './model-input/message.ts'
import type { Turn } from './responder.ts'

export type { ItemHooks, Tag } from './model-input/from-item.ts'
export { type ModelMessage, type ModelPart, messageLength, userText } from './model-input/message.ts'

/** How much of a thread a model is given, and how. */
export type ModelInputOptions = ItemHooks & {
  /** Items to read, the newest. @default 100 */
  maxItems?: number
  /** How long all messages may be together, as `measure` has it. The newest item is given in any case. @default 200_000 */
  maxLength?: number
  /** Length of a message; a tokenizer's count fits too. @default UTF-16 units of its text, 3000 for an image or a file */
  measure?(message: ModelMessage): number
}

/**
 * What a model is to answer: the newest items of the turn's thread, oldest of them first.
 *
 * Left out are calls of client tools that nobody answered, and what a model has no use for. When older items do not fit, the
 * rest begins with something the user said, as many models want it.
 *
 * @throws TypeError for an item that needs a hook, and for options that cannot be meant.
 */
export async function modelInput(turn: Pick<Turn, 'items'>, options: ModelInputOptions = {}): Promise<ModelMessage[]> {
  const { maxItems = 100 } = options
  if (!Number.isInteger(maxItems) || maxItems < 1) throw new TypeError('maxItems must be a whole number above zero')
  // One more tells whether there are older ones.
  const items = await turn.items.newest(maxItems + 1)
  return await toModelInput(items.slice(-maxItems), { ...options, incomplete: items.length > maxItems })
}

/**
 * The same for items at hand, in the order of the thread.
 *
 * @param options.incomplete whether there were older items, which are left out. @default false
 */
export async function toModelInput(
  items: readonly ThreadItem[],
  options: ModelInputOptions & { incomplete?: boolean } = {}
): Promise<ModelMessage[]> {
  const { maxLength = 200_000, measure = messageLength } = options
  if (!(maxLength > 0)) throw new TypeError('maxLength must be a number above zero')
  const kept: ModelMessage[][] = []
  let left = maxLength
  let incomplete = options.incomplete ?? false
  // From the newest on, an item's messages at a time: so a call never loses its output.
  for (let index = items.length - 1; index >= 0; index--) {
    const item = items[index]
    if (!item) continue
    const messages = await fromItem(item, index === items.length - 1, options)
    const length = messages.reduce((total, message) => total + measure(message), 0)
    if (length > left && kept.length > 0) {
      incomplete = true
      break
    }
    left -= length
    if (messages.length > 0) kept.unshift(messages)
  }
  const begin = incomplete ? kept.findIndex(messages => messages[0]?.type === 'user') : 0
  return kept.slice(Math.max(begin, 0)).flat()
}
