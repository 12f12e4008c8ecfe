import { pageParams, pageQuery } from '../protocol/page.ts'
import { threadToClient } from '../protocol/to-client.ts'
import { jsonOperation } from './operation.ts'

/** The owner's threads in the order they were begun, without their items. */
export const threadsList = jsonOperation({
  type: 'threads.list',
  params: pageParams,
  async run(params, { threads, settings }) {
    const page = await threads.listThreads(pageQuery(params, settings.limits.pageSize))
    return { ...page, data: page.data.map(thread => threadToClient(thread)) }
  }
})
