import { chatkitErrors } from '../errors.ts'
import type { ItemOf, ThreadItem } from '../protocol/item/registry.ts'
import type { ThreadMetadata } from '../protocol/thread.ts'
import type { OwnedThreads } from '../store/thread-store.ts'
import type { Settings } from './operation.ts'

/** @throws FST_CHATKIT_THREAD_NOT_FOUND for a thread that is not there, or not this owner's. */
export async function loadThread(threads: OwnedThreads, threadId: string): Promise<ThreadMetadata> {
  const thread = await threads.findThread(threadId)
  if (!thread) throw new chatkitErrors.FST_CHATKIT_THREAD_NOT_FOUND()
  return thread
}

/** The same, for something that goes on with the thread; in a transaction it stays open until the end. @throws FST_CHATKIT_THREAD_CLOSED as well. */
export async function loadOpenThread(
  threads: OwnedThreads,
  threadId: string,
  { refuse }: Pick<Settings, 'refuse'>
): Promise<ThreadMetadata> {
  const thread = await loadThread(threads, threadId)
  const { type } = thread.status
  if (type !== 'active' && refuse.includes(type)) throw new chatkitErrors.FST_CHATKIT_THREAD_CLOSED(type)
  return thread
}

/** @throws FST_CHATKIT_ITEM_NOT_FOUND; FST_CHATKIT_ITEM_WRONG_TYPE for an item of another type. */
export async function loadItem<Type extends ThreadItem['type']>(
  threads: OwnedThreads,
  threadId: string,
  itemId: string,
  type: Type
): Promise<ItemOf<Type>> {
  const item = await threads.findItem(threadId, itemId)
  if (!item) throw new chatkitErrors.FST_CHATKIT_ITEM_NOT_FOUND()
  if (!isOfType(item, type)) throw new chatkitErrors.FST_CHATKIT_ITEM_WRONG_TYPE(type)
  return item
}

export function isOfType<Type extends ThreadItem['type']>(item: ThreadItem, type: Type): item is ItemOf<Type> {
  return item.type === type
}
