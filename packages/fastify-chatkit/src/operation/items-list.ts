import { z } from 'zod'
import { pageParams, pageQuery } from '../protocol/page.ts'
import { itemsToClient } from '../protocol/to-client.ts'
import { jsonOperation } from './operation.ts'

/** A page of a thread's items, newest first; an empty one for a thread that is not there. */
export const itemsList = jsonOperation({
  type: 'items.list',
  params: pageParams.extend({ thread_id: z.string() }),
  async run({ thread_id, ...params }, { threads, settings }) {
    const page = await threads.listItems(thread_id, pageQuery(params, settings.limits.pageSize))
    return { ...page, data: itemsToClient(page.data) }
  }
})
