import { z } from 'zod'
import { defineItemKind, itemFields } from './item.ts'

/** Something the application tells its model, and never the reader. */
export const hiddenContext = defineItemKind({
  type: 'hidden_context_item',
  audience: 'server',
  schema: z.object({ ...itemFields, type: z.literal('hidden_context_item'), content: z.unknown() }),
  updates: []
})
