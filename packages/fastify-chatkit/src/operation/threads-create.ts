import { z } from 'zod'
import type { ThreadMetadata } from '../protocol/thread.ts'
import { threadToClient } from '../protocol/to-client.ts'
import { userMessageInput } from '../protocol/user-input.ts'
import { checkAttachments } from './check-attachments.ts'
import { streamOperation } from './operation.ts'
import { checkUserMessage, storeUserMessage } from './store-user-message.ts'

/** Begins a thread with a message. `thread.created` comes first: the front end changes to the new thread on it. */
export const threadsCreate = streamOperation({
  type: 'threads.create',
  params: z.object({ input: userMessageInput }),
  threadId: () => null,
  async begin({ input }, call) {
    const { threads, settings } = call
    checkUserMessage(input, settings)
    await checkAttachments(input, call)
    const thread: ThreadMetadata = {
      id: settings.newId('thread'),
      created_at: settings.now().toISOString(),
      status: { type: 'active' },
      metadata: {}
    }
    const message = await threads.transaction(async tx => {
      await tx.saveThread(thread)
      return await storeUserMessage(tx, thread.id, input, settings)
    })
    return {
      thread,
      before: [
        { type: 'thread.created', thread: threadToClient(thread) },
        { type: 'thread.item.done', item: message }
      ],
      input: message,
      respond: settings.respond
    }
  }
})
