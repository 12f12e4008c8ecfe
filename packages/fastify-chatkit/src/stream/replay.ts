import type { StreamEvent } from '../protocol/event.ts'
import type { ThreadItem } from '../protocol/item/registry.ts'
import { eventToClient } from '../protocol/to-client.ts'
import { frame } from './sse.ts'

/** UTF-16 units of a run that are remembered word for word, for a reader who comes late. */
const limit = 32 * 1024

type TextDelta = { item_id: string; content_index: number; deltas: string[] }
/** Stands for all that was told of an item. */
type Mention = { mentioned: string }
type Entry = StreamEvent | TextDelta | Mention

/** How items stand now, in the run and in the store. */
export type ItemStates = {
  /** An item that was begun and is not done. */
  unfinished: (itemId: string) => ThreadItem | null
  stored: (itemId: string) => Promise<ThreadItem | null>
}

/**
 * What a run has told so far, for a repeated request that joins it. Deltas of one text are remembered as one. Of a run
 * that has told much, only which items it told of is remembered; how they stand is asked when somebody comes.
 */
export class Replay {
  #entries: Entry[] = []
  #length = 0
  #brief = false
  /** The text the last delta belongs to. */
  #text: TextDelta | null = null

  /** @param length of its frame. */
  add(event: StreamEvent, length: number): void {
    if (this.#brief) {
      this.#addBriefly(event)
      return
    }
    if (event.type === 'thread.item.updated' && event.update.type === 'assistant_message.content_part.text_delta') {
      const { item_id } = event
      const { content_index, delta } = event.update
      const last = this.#text
      if (last && last.item_id === item_id && last.content_index === content_index) {
        last.deltas.push(delta)
        this.#length += delta.length
      } else {
        this.#text = { item_id, content_index, deltas: [delta] }
        this.#entries.push(this.#text)
        this.#length += length
      }
    } else {
      this.#text = null
      this.#entries.push(event)
      // The message that is answered may be long, and is there anyway.
      if (!('item' in event) || event.item.type !== 'user_message') this.#length += length
    }
    if (this.#length > limit) this.#beBrief()
  }

  /** The frames so far. What is told while this is asked is not among them. */
  async frames(items: ItemStates): Promise<string[]> {
    // All that changes is read before the first wait.
    const now = this.#entries.map(entry => this.#nowOf(entry, items))
    const frames: string[] = []
    for (const one of now) {
      const event = 'mentioned' in one ? await doneNow(one, items) : one
      if (event) frames.push(frame(event))
    }
    return frames
  }

  #nowOf(entry: Entry, { unfinished }: ItemStates): StreamEvent | Mention {
    if ('deltas' in entry) return whole(entry)
    if (!('mentioned' in entry)) return entry
    const item = unfinished(entry.mentioned)
    // It begins with what it has come to; updates go on from there.
    return item ? { type: 'thread.item.added', item: structuredClone(item) } : entry
  }

  #beBrief(): void {
    const told = this.#entries
    this.#brief = true
    this.#text = null
    this.#entries = []
    for (const entry of told) this.#addBriefly(entry)
  }

  #addBriefly(entry: Entry): void {
    const itemId = itemOf(entry)
    if (itemId === null) {
      // Of what passes, only the last is worth telling.
      const passes = 'type' in entry && (entry.type === 'progress_update' || entry.type === 'thread.updated')
      const last = passes ? this.#entries.findIndex(one => 'type' in one && one.type === entry.type) : -1
      if (last !== -1) this.#entries.splice(last, 1)
      this.#entries.push(entry)
      return
    }
    const known = this.#entries.findIndex(one => 'mentioned' in one && one.mentioned === itemId)
    const removed = 'type' in entry && entry.type === 'thread.item.removed'
    if (removed && known !== -1) this.#entries.splice(known, 1)
    else if (removed) this.#entries.push(entry)
    else if (known === -1) this.#entries.push({ mentioned: itemId })
  }
}

function itemOf(entry: Entry): string | null {
  if ('mentioned' in entry) return entry.mentioned
  if ('item_id' in entry) return entry.item_id
  return 'item' in entry ? entry.item.id : null
}

async function doneNow({ mentioned }: Mention, { stored }: ItemStates): Promise<StreamEvent | null> {
  const item = await stored(mentioned)
  return item && eventToClient({ type: 'thread.item.done', item })
}

function whole({ item_id, content_index, deltas }: TextDelta): StreamEvent {
  const type = 'assistant_message.content_part.text_delta'
  return { type: 'thread.item.updated', item_id, update: { type, content_index, delta: deltas.join('') } }
}
