import { z } from 'zod'
import { loadItem, loadOpenThread } from './find.ts'
import { streamOperation } from './operation.ts'

/** Answers a message again. Everything after it goes, at once and without an event: the front end has dropped it already. */
export const threadsRetryAfterItem = streamOperation({
  type: 'threads.retry_after_item',
  params: z.object({ thread_id: z.string(), item_id: z.string() }),
  threadId: ({ thread_id }) => thread_id,
  async begin({ thread_id, item_id }, { threads, settings }) {
    const { thread, message } = await threads.transaction(async tx => {
      const thread = await loadOpenThread(tx, thread_id, settings)
      const message = await loadItem(tx, thread_id, item_id, 'user_message')
      await tx.deleteItemsAfter(thread_id, item_id)
      return { thread, message }
    })
    return { thread, input: message, respond: settings.respond }
  }
})
