import { isChatKitError } from '../errors.ts'
import { type ResponderEvent, type StreamEvent, transientEvent } from '../protocol/event.ts'
import {
  completeItem,
  type ItemDraft,
  type ItemUpdate,
  isHidden,
  parseUpdate,
  type ThreadItem
} from '../protocol/item/registry.ts'
import { eventToClient } from '../protocol/to-client.ts'
import type { OwnedThreads } from '../store/thread-store.ts'
import type { Unfinished } from './unfinished.ts'

type Surroundings = {
  thread: { readonly id: string }
  threads: OwnedThreads
  persistWidgetUpdates: boolean
  now: () => Date
  unfinished: Unfinished
}

/**
 * Takes what a responder yields: checks it, stores it, and gives back what the reader may see of it.
 */
export class EventSink {
  readonly unfinished: Unfinished
  readonly #threadId: string
  readonly #around: Surroundings
  /** Items this run has met, and whether they are for the server alone. */
  readonly #hidden = new Map<string, boolean>()
  /** Items this run has put into the thread by replacing. */
  readonly #replaced = new Set<string>()

  constructor(around: Surroundings) {
    this.#threadId = around.thread.id
    this.#around = around
    this.unfinished = around.unfinished
  }

  /**
   * @returns the event for the reader, `null` when there is none; a promise only when a store had to be asked.
   * @throws for what is no event. Nothing has been stored then.
   */
  take(event: ResponderEvent): StreamEvent | null | Promise<StreamEvent | null> {
    switch (event.type) {
      case 'thread.item.updated':
        return this.#update(event.item_id, event.update)
      case 'thread.item.added': {
        const item = this.#item(event.item)
        this.unfinished.begin(structuredClone(item))
        return eventToClient({ type: 'thread.item.added', item })
      }
      case 'thread.item.done':
        return this.#done(this.#item(event.item))
      case 'thread.item.replaced':
        return this.#replace(this.#item(event.item))
      case 'thread.item.removed':
        return this.#remove(event.item_id)
      default:
        return transientEvent.parse(event)
    }
  }

  /**
   * Stores half an answer. It takes the place of nothing that was in the thread before.
   *
   * @returns the event for the reader, `null` when there is none.
   */
  async keep(item: ThreadItem): Promise<StreamEvent | null> {
    const { threads } = this.#around
    try {
      if (this.#replaced.has(item.id)) await threads.saveItem(this.#threadId, item)
      else await threads.addItem(this.#threadId, item)
    } catch (error) {
      if (isChatKitError(error) && error.code === 'FST_CHATKIT_ITEM_EXISTS') return null
      throw error
    }
    return eventToClient({ type: 'thread.item.done', item })
  }

  #item(draft: ItemDraft): ThreadItem {
    // Its thread is the turn's, whatever a responder says.
    const item = completeItem(draft, this.#threadId, this.#around.now)
    this.#hidden.set(item.id, isHidden(item.type))
    return item
  }

  async #done(item: ThreadItem): Promise<StreamEvent | null> {
    await this.#around.threads.addItem(this.#threadId, item)
    this.unfinished.end(item.id)
    return eventToClient({ type: 'thread.item.done', item })
  }

  async #replace(item: ThreadItem): Promise<StreamEvent | null> {
    await this.#around.threads.saveItem(this.#threadId, item)
    this.#replaced.add(item.id)
    if (this.unfinished.has(item.id)) this.unfinished.begin(structuredClone(item))
    return eventToClient({ type: 'thread.item.replaced', item })
  }

  async #remove(itemId: string): Promise<StreamEvent | null> {
    const hidden = await this.#isHidden(itemId)
    await this.#around.threads.deleteItem(this.#threadId, itemId)
    this.#replaced.delete(itemId)
    this.unfinished.end(itemId)
    return hidden ? null : { type: 'thread.item.removed', item_id: itemId }
  }

  #update(itemId: string, draft: unknown): StreamEvent | null | Promise<StreamEvent | null> {
    const update = isTextDelta(draft) ? draft : parseUpdate(draft)
    const event: StreamEvent = { type: 'thread.item.updated', item_id: itemId, update }
    const hidden = this.#hidden.get(itemId)
    if (this.unfinished.has(itemId)) {
      this.unfinished.fold(itemId, update)
      return hidden ? null : event
    }
    if (hidden !== undefined && !this.#persists(update)) return hidden ? null : event
    return this.#updateStored(itemId, update, event)
  }

  async #updateStored(itemId: string, update: ItemUpdate, event: StreamEvent): Promise<StreamEvent | null> {
    if (await this.#isHidden(itemId)) return null
    if (this.#persists(update)) {
      const { widget } = update
      // One that is deleted at this moment must not come back.
      await this.#around.threads.transaction(async tx => {
        const stored = await tx.findItem(this.#threadId, itemId)
        if (stored?.type === 'widget') await tx.saveItem(this.#threadId, { ...stored, widget })
      })
    }
    return event
  }

  #persists(update: ItemUpdate): update is Extract<ItemUpdate, { type: 'widget.root.updated' }> {
    return this.#around.persistWidgetUpdates && update.type === 'widget.root.updated'
  }

  // Of an item from before this run only the store knows.
  async #isHidden(itemId: string): Promise<boolean> {
    const known = this.#hidden.get(itemId)
    if (known !== undefined) return known
    const item = await this.#around.threads.findItem(this.#threadId, itemId)
    const hidden = item !== null && isHidden(item.type)
    this.#hidden.set(itemId, hidden)
    return hidden
  }
}

type TextDelta = Extract<ItemUpdate, { type: 'assistant_message.content_part.text_delta' }>

// Deltas are most of any stream: theirs is a check by hand, and no copy.
function isTextDelta(update: unknown): update is TextDelta {
  const { type, delta, content_index } = (update ?? {}) as Partial<TextDelta>
  return (
    type === 'assistant_message.content_part.text_delta' &&
    typeof delta === 'string' &&
    typeof content_index === 'number' &&
    Number.isInteger(content_index) &&
    content_index >= 0 &&
    content_index <= 10_000
  )
}
