import { z } from 'zod'
import { task, workflow } from '../task.ts'
import { defineItemKind, itemFields } from './item.ts'

const taskAdded = z.object({ type: z.literal('workflow.task.added'), task_index: z.int().min(0), task })
const taskUpdated = z.object({ type: z.literal('workflow.task.updated'), task_index: z.int().min(0), task })

/** Steps taken together: a model's reasoning, or work of the application's own. */
export const workflowItem = defineItemKind({
  type: 'workflow',
  audience: 'reader',
  schema: z.object({ ...itemFields, type: z.literal('workflow'), workflow }),
  updates: [taskAdded, taskUpdated],
  fold({ workflow: { tasks } }, update) {
    // The reference server appends, whatever the index says.
    if (update.type === 'workflow.task.added') tasks.push(update.task)
    else if (update.task_index < tasks.length) tasks[update.task_index] = update.task
  }
})
