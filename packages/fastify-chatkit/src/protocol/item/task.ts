import { z } from 'zod'
import { task } from '../task.ts'
import { defineItemKind, itemFields } from './item.ts'

/** A step that was taken, by itself. */
export const taskItem = defineItemKind({
  type: 'task',
  audience: 'reader',
  schema: z.object({ ...itemFields, type: z.literal('task'), task }),
  updates: []
})
