import { z } from 'zod'
import { defineItemKind, itemFields } from './item.ts'

/** Something this package tells the model, such as that the reader stopped the last answer. */
export const sdkHiddenContext = defineItemKind({
  type: 'sdk_hidden_context',
  audience: 'server',
  schema: z.object({ ...itemFields, type: z.literal('sdk_hidden_context'), content: z.string() }),
  updates: []
})
