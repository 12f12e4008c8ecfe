import type { IdFactory } from '../protocol/ids.ts'
import { type ItemUpdate, itemKind, type ThreadItem } from '../protocol/item/registry.ts'

/** What the model learns of an answer that was broken off; the reference server's words. */
export const CANCELLED = 'The user cancelled the stream. Stop responding to the prior request.'

const TEXT_DELTA = 'assistant_message.content_part.text_delta'

/** So many deltas of one text are collected before they are folded into it. */
const MOST_COLLECTED = 256

/** Items that were begun and are not done, as far as they have come. */
export class Unfinished {
  readonly #items = new Map<string, ThreadItem>()
  /**
   * Deltas that follow each other in one text. Added to it one by one they would make a string of as many parts, each of
   * which the garbage collector would carry along for as long as the answer grows.
   */
  #collected: string[] = []
  #collectedFor = { itemId: '', index: -1 }

  /** @param item is kept, and changed by updates: a copy of the responder's. */
  begin(item: ThreadItem): void {
    this.#foldCollected()
    this.#items.set(item.id, item)
  }

  get(itemId: string): ThreadItem | null {
    this.#foldCollected()
    return this.#items.get(itemId) ?? null
  }

  has(itemId: string): boolean {
    return this.#items.has(itemId)
  }

  end(itemId: string): void {
    this.#foldCollected()
    this.#items.delete(itemId)
  }

  /** Applies an update to an item that was begun; one that was not is left alone, as there is nothing to change. */
  fold(itemId: string, update: ItemUpdate): void {
    if (update.type !== TEXT_DELTA) {
      this.#foldCollected()
      this.#foldOne(itemId, update)
      return
    }
    const { itemId: lastId, index } = this.#collectedFor
    if (itemId !== lastId || update.content_index !== index || this.#collected.length === MOST_COLLECTED) {
      this.#foldCollected()
      this.#collectedFor = { itemId, index: update.content_index }
    }
    this.#collected.push(update.delta)
  }

  #foldCollected(): void {
    if (this.#collected.length === 0) return
    const { itemId, index } = this.#collectedFor
    const delta = this.#collected.join('')
    this.#collected = []
    this.#foldOne(itemId, { type: TEXT_DELTA, content_index: index, delta })
  }

  #foldOne(itemId: string, update: ItemUpdate): void {
    const item = this.#items.get(itemId)
    if (!item) return
    const kind = itemKind(item.type)
    if (kind?.takes(update.type)) kind.fold(item, update)
  }

  /** Forgets everything, and returns what is worth keeping, in the order it was begun. */
  takeWorthKeeping(): ThreadItem[] {
    this.#foldCollected()
    const kept = [...this.#items.values()].filter(item => itemKind(item.type)?.keepUnfinished(item) === true)
    this.#items.clear()
    return kept
  }
}

/** The note, for the model alone, that the reader did not wait for the end. */
export function cancelledMarker(threadId: string, newId: IdFactory, now: Date): ThreadItem {
  return {
    id: newId('sdk_hidden_context'),
    thread_id: threadId,
    created_at: now.toISOString(),
    type: 'sdk_hidden_context',
    content: CANCELLED
  }
}
