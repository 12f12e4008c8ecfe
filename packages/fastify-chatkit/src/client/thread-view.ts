import type { ErrorEvent, StreamEvent } from '../protocol/event.ts'
import type { ThreadItem } from '../protocol/item/registry.ts'
import type { Thread } from '../protocol/thread.ts'
import { fold } from './fold.ts'

type EventOf<Type extends StreamEvent['type']> = Extract<StreamEvent, { type: Type }>

/** A thread as its reader sees it: what is kept, and what is only said while an answer streams. */
export interface ThreadView {
  /** `null` before the first event of a new thread. Its `items` are empty: they are below. */
  readonly thread: Thread | null
  /** Oldest first. */
  readonly items: readonly ThreadItem[]
  /** Ids of items that were begun and are not done. */
  readonly unfinished: readonly string[]
  /** Whether this answer may be stopped. */
  readonly allowCancel: boolean
  /** What is being done; over with the next item. */
  readonly progress: { readonly text: string; readonly icon?: string | undefined } | null
  /** How far images are that are still being made, 0 to 1, by item. */
  readonly imageProgress: Readonly<Record<string, number>>
  readonly notices: readonly EventOf<'notice'>[]
  /** What went wrong in this turn. The stream may go on after it. */
  readonly error: ErrorEvent | null
}

/** A view of nothing yet. */
export const emptyView: ThreadView = {
  thread: null,
  items: [],
  unfinished: [],
  allowCancel: true,
  progress: null,
  imageProgress: {},
  notices: [],
  error: null
}

// The server alone knows these. The reference server lets them slip out.
const hiddenTypes: readonly string[] = ['hidden_context_item', 'sdk_hidden_context']

/** A view of a thread that was fetched, with its items, oldest first. */
export function viewOf(thread: Thread, items: readonly ThreadItem[] = thread.items.data): ThreadView {
  return { ...emptyView, thread: withoutItems(thread), items: items.filter(isVisible) }
}

/** The view when a turn begins: what the last one said in passing is gone. */
export function beginTurn(view: ThreadView): ThreadView {
  return { ...emptyView, thread: view.thread, items: view.items }
}

/**
 * The view when a turn is over, however it ended. An answer that was cut off stays when it has text, as the server keeps it; other
 * unfinished items go, as the server forgets them.
 */
export function endTurn(view: ThreadView): ThreadView {
  const { unfinished, error, notices } = view
  const items = view.items.filter(item => !unfinished.includes(item.id) || isWorthKeeping(item))
  return { ...emptyView, thread: view.thread, items, notices, error }
}

/** The view before a retry: the server removes what came after the item, and tells nobody. */
export function withoutAfter(view: ThreadView, itemId: string): ThreadView {
  const index = view.items.findIndex(({ id }) => id === itemId)
  return index < 0 ? view : { ...view, items: view.items.slice(0, index + 1) }
}

/**
 * The view after an event. The old one is left as it is; what did not change is shared with it.
 *
 * Events nobody knows yet change nothing, as do updates to items that are not there. `client_effect` is for the application alone.
 */
export function applyEvent(view: ThreadView, event: StreamEvent): ThreadView {
  switch (event.type) {
    case 'thread.created':
    case 'thread.updated':
      return { ...view, thread: withoutItems(event.thread) }
    case 'thread.item.added':
      return put(view, event.item, false)
    case 'thread.item.done':
    case 'thread.item.replaced':
      return put(view, event.item, true)
    case 'thread.item.removed':
      return without(view, event.item_id)
    case 'thread.item.updated':
      return update(view, event)
    case 'stream_options':
      return { ...view, allowCancel: event.stream_options.allow_cancel }
    case 'progress_update':
      return { ...view, progress: { text: event.text, icon: event.icon } }
    case 'notice':
      return { ...view, notices: [...view.notices, event] }
    case 'error':
      return { ...view, progress: null, error: event }
    default:
      return view
  }
}

/** Puts an item in the place of the one with its id, or last. */
function put(view: ThreadView, item: ThreadItem, done: boolean): ThreadView {
  if (!isVisible(item)) return view
  const known = view.items.some(({ id }) => id === item.id)
  const rest = view.unfinished.filter(id => id !== item.id)
  return {
    ...view,
    items: known ? view.items.map(old => (old.id === item.id ? item : old)) : [...view.items, item],
    unfinished: done ? rest : [...rest, item.id],
    imageProgress: omit(view.imageProgress, item.id),
    // The user's own message comes before the answer, and ends nothing.
    progress: item.type === 'user_message' ? view.progress : null
  }
}

function without(view: ThreadView, itemId: string): ThreadView {
  return {
    ...view,
    items: view.items.filter(({ id }) => id !== itemId),
    unfinished: view.unfinished.filter(id => id !== itemId),
    imageProgress: omit(view.imageProgress, itemId)
  }
}

function update(view: ThreadView, { item_id, update }: EventOf<'thread.item.updated'>): ThreadView {
  const old = view.items.find(({ id }) => id === item_id)
  if (!old) return view
  const item = fold(old, update)
  const imageProgress =
    update.type === 'generated_image.updated' && typeof update.progress === 'number'
      ? { ...view.imageProgress, [item_id]: update.progress }
      : view.imageProgress
  if (item === old && imageProgress === view.imageProgress) return view
  return { ...view, imageProgress, items: view.items.map(one => (one === old ? item : one)) }
}

function isVisible(item: ThreadItem): boolean {
  return !hiddenTypes.includes(item.type)
}

function isWorthKeeping(item: ThreadItem): boolean {
  return item.type === 'assistant_message' && item.content.some(({ text }) => text.trim() !== '')
}

function withoutItems(thread: Thread): Thread {
  return { ...thread, items: { data: [], has_more: false } }
}

function omit<Value>(record: Readonly<Record<string, Value>>, key: string): Readonly<Record<string, Value>> {
  if (!Object.hasOwn(record, key)) return record
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key))
}
