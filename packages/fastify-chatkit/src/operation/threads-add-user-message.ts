import { z } from 'zod'
import { userMessageInput } from '../protocol/user-input.ts'
import { checkAttachments } from './check-attachments.ts'
import { loadOpenThread } from './find.ts'
import { streamOperation } from './operation.ts'
import { checkUserMessage, storeUserMessage } from './store-user-message.ts'

/** Goes on with a thread. */
export const threadsAddUserMessage = streamOperation({
  type: 'threads.add_user_message',
  params: z.object({ thread_id: z.string(), input: userMessageInput }),
  threadId: ({ thread_id }) => thread_id,
  async begin({ thread_id, input }, call) {
    const { threads, settings } = call
    checkUserMessage(input, settings)
    await checkAttachments(input, call)
    const { thread, message } = await threads.transaction(async tx => ({
      thread: await loadOpenThread(tx, thread_id, settings),
      message: await storeUserMessage(tx, thread_id, input, settings)
    }))
    return {
      thread,
      before: [{ type: 'thread.item.done', item: message }],
      input: message,
      respond: settings.respond
    }
  }
})
