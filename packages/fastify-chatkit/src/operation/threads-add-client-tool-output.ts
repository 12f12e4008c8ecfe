import { z } from 'zod'
import { chatkitErrors } from '../errors.ts'
import type { ClientToolCallItem, ThreadItem } from '../protocol/item/registry.ts'
import { loadOpenThread } from './find.ts'
import { streamOperation } from './operation.ts'

/** Items in which a pending call is looked for. */
const tail = 20

/**
 * Brings what the page's tool gave. The request names no call: the newest pending one is meant.
 *
 * The reference server takes it only when nothing was stored after the call, and so loses it when the reader had stopped the stream.
 */
export const threadsAddClientToolOutput = streamOperation({
  type: 'threads.add_client_tool_output',
  params: z.object({
    thread_id: z.string(),
    // The key must be there, whatever its value is.
    result: z.unknown().refine(value => value !== undefined, { message: 'Required' })
  }),
  threadId: ({ thread_id }) => thread_id,
  async begin({ thread_id, result }, { threads, settings, log, requestId }) {
    const thread = await threads.transaction(async tx => {
      const open = await loadOpenThread(tx, thread_id, settings)
      const { data } = await tx.listItems(thread_id, { limit: tail, order: 'desc', hidden: true })
      const [newest, ...forgotten] = data.filter(isPending)
      // Found once more, and so locked: of two results at the same time one is taken.
      const call = newest ? await tx.findItem(thread_id, newest.id) : null
      if (!call || !isPending(call)) throw new chatkitErrors.FST_CHATKIT_NOT_PENDING()
      await tx.saveItem(thread_id, { ...call, status: 'completed', output: result ?? undefined })
      for (const { id } of forgotten) {
        log.warn({ threadId: thread_id, itemId: id, requestId }, 'A client tool call was never answered; it is removed')
        await tx.deleteItem(thread_id, id)
      }
      return open
    })
    return { thread, input: null, respond: settings.respond }
  }
})

function isPending(item: ThreadItem): item is ClientToolCallItem {
  return item.type === 'client_tool_call' && item.status === 'pending'
}
