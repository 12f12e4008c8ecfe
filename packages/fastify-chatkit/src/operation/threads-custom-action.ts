import { z } from 'zod'
import { chatkitErrors } from '../errors.ts'
import { action } from '../protocol/action.ts'
import { optional } from '../protocol/schema.ts'
import { isOfType, loadOpenThread } from './find.ts'
import { streamOperation } from './operation.ts'

/** Something was done to a widget, and is answered with a stream. */
export const threadsCustomAction = streamOperation({
  type: 'threads.custom_action',
  params: z.object({ thread_id: z.string(), item_id: optional(z.string()), action }),
  threadId: ({ thread_id }) => thread_id,
  async begin({ thread_id, item_id, action }, { threads, settings }) {
    const hook = settings.action
    if (!hook) throw new chatkitErrors.FST_CHATKIT_NOT_SUPPORTED('actions')
    const thread = await loadOpenThread(threads, thread_id, settings)
    const sender = item_id === undefined ? null : await threads.findItem(thread_id, item_id)
    if (item_id !== undefined && !sender) throw new chatkitErrors.FST_CHATKIT_ITEM_NOT_FOUND()
    // The reference server's answer, which the front end knows.
    if (sender && !isOfType(sender, 'widget'))
      return { thread, refusal: { type: 'error', code: 'stream.error', allow_retry: false } }
    return { thread, input: null, respond: turn => hook({ ...turn, thread: turn.thread, input: null, action, sender }) }
  }
})
