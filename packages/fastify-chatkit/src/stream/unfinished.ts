import type { IdFactory } from '../protocol/ids.ts'
import { type ItemUpdate, itemKind, type ThreadItem } from '../protocol/item/registry.ts'
import type { OwnedThreads } from '../store/thread-store.ts'

/** What the model learns of an answer that was broken off; the reference server's words. */
export const CANCELLED = 'The user cancelled the stream. Stop responding to the prior request.'

/** Items that were begun and are not done, as far as they have come. */
export class Unfinished {
  readonly #items = new Map<string, ThreadItem>()

  /** @param item is kept, and changed by updates: a copy of the responder's. */
  begin(item: ThreadItem): void {
    this.#items.set(item.id, item)
  }

  get(itemId: string): ThreadItem | null {
    return this.#items.get(itemId) ?? null
  }

  has(itemId: string): boolean {
    return this.#items.has(itemId)
  }

  end(itemId: string): void {
    this.#items.delete(itemId)
  }

  /** Applies an update to an item that was begun; one that was not is left alone, as there is nothing to change. */
  fold(itemId: string, update: ItemUpdate): void {
    const item = this.#items.get(itemId)
    if (!item) return
    const kind = itemKind(item.type)
    if (kind?.takes(update.type)) kind.fold(item, update)
  }

  /** Saves what is worth keeping, in the order it was begun, and returns it. The rest is forgotten. */
  async keep(threads: OwnedThreads, threadId: string): Promise<ThreadItem[]> {
    const kept = [...this.#items.values()].filter(item => itemKind(item.type)?.keepUnfinished(item) === true)
    this.#items.clear()
    for (const item of kept) await threads.saveItem(threadId, item)
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
