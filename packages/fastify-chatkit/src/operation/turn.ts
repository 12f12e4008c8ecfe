import type { UserMessageItem } from '../protocol/item/registry.ts'
import { DEFAULT_PAGE_SIZE } from '../protocol/page.ts'
import type { ThreadMetadata } from '../protocol/thread.ts'
import type { ThreadHistory, Turn } from '../responder/responder.ts'
import type { OwnedThreads } from '../store/thread-store.ts'
import type { Call } from './operation.ts'

/** What a responder is told of one thing to answer. */
export function makeTurn(call: Call, thread: ThreadMetadata, input: UserMessageItem | null): Turn {
  const { owner, threads, metadata, context, requestId, log, signal, settings } = call
  return {
    thread,
    input,
    items: history(threads, thread.id),
    signal,
    owner,
    metadata,
    context,
    requestId,
    log,
    newItemId: (kind = 'assistant_message') => settings.newId(kind)
  }
}

function history(threads: OwnedThreads, threadId: string): ThreadHistory {
  return {
    async newest(limit = DEFAULT_PAGE_SIZE) {
      const { data } = await threads.listItems(threadId, { limit, order: 'desc', hidden: true })
      return data.toReversed()
    },
    find: itemId => threads.findItem(threadId, itemId),
    list: query => threads.listItems(threadId, { ...query, hidden: true })
  }
}
