import { z } from 'zod'
import { freeForm } from '../schema.ts'
import { defineItemKind, itemFields } from './item.ts'

/** A tool to be run by the reader's page. `call_id` is the model's name for the call, `id` the item's. */
export const clientToolCall = defineItemKind({
  type: 'client_tool_call',
  audience: 'reader',
  schema: z.object({
    ...itemFields,
    type: z.literal('client_tool_call'),
    status: z.enum(['pending', 'completed']).default('pending'),
    call_id: z.string(),
    name: z.string(),
    arguments: freeForm,
    // Free-form inside, but a null output is no output.
    output: z
      .unknown()
      .transform(output => output ?? undefined)
      .optional()
  }),
  updates: []
})
