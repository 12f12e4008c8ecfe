import { z } from 'zod'
import { defineItemKind, itemFields } from './item.ts'

/** Says that the assistant has finished. */
export const endOfTurn = defineItemKind({
  type: 'end_of_turn',
  audience: 'reader',
  schema: z.object({ ...itemFields, type: z.literal('end_of_turn') }),
  updates: []
})
