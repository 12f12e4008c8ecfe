import { z } from 'zod'
import { chatkitErrors } from '../errors.ts'
import { threadToClient } from '../protocol/to-client.ts'
import { jsonOperation } from './operation.ts'

/** Renames a thread. */
export const threadsUpdate = jsonOperation({
  type: 'threads.update',
  params: z.object({ thread_id: z.string(), title: z.string() }),
  async run({ thread_id, title }, { threads }) {
    const thread = await threads.updateThread(thread_id, { title })
    if (!thread) throw new chatkitErrors.FST_CHATKIT_THREAD_NOT_FOUND()
    return threadToClient(thread)
  }
})
