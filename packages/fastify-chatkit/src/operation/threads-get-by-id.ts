import { z } from 'zod'
import { DEFAULT_PAGE_SIZE } from '../protocol/page.ts'
import { threadToClient } from '../protocol/to-client.ts'
import { loadThread } from './find.ts'
import { jsonOperation } from './operation.ts'

/** A thread with its first items, oldest first; the front end asks for the others with `items.list`. */
export const threadsGetById = jsonOperation({
  type: 'threads.get_by_id',
  params: z.object({ thread_id: z.string() }),
  async run({ thread_id }, { threads }) {
    const thread = await loadThread(threads, thread_id)
    const items = await threads.listItems(thread_id, { limit: DEFAULT_PAGE_SIZE, order: 'asc' })
    return threadToClient(thread, items)
  }
})
