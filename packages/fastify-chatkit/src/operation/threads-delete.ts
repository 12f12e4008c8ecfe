import { z } from 'zod'
import { jsonOperation } from './operation.ts'

/** Deletes a thread, whether it is there or not; an answer that is being written to it is abandoned. */
export const threadsDelete = jsonOperation({
  type: 'threads.delete',
  params: z.object({ thread_id: z.string() }),
  async run({ thread_id }, { owner, threads, settings }) {
    await threads.deleteThread(thread_id)
    settings.onThreadDeleted(owner, thread_id)
    return {}
  }
})
