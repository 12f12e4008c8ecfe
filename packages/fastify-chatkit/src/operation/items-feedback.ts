import { z } from 'zod'
import { askHook } from './hook.ts'
import { jsonOperation } from './operation.ts'

/** An opinion on some items: kept for those there are, and told to the application as it came. */
export const itemsFeedback = jsonOperation({
  type: 'items.feedback',
  params: z.object({
    thread_id: z.string(),
    item_ids: z.array(z.string()).max(1000),
    kind: z.enum(['positive', 'negative'])
  }),
  async run(feedback, { owner, threads, settings }) {
    await threads.saveFeedback(feedback)
    await askHook(() => settings.feedback?.({ ...feedback, owner }))
    return {}
  }
})
