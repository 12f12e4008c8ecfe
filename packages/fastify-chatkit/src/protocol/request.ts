import { z } from 'zod'
import { freeForm } from './schema.ts'

/** What every request has; `params` is checked by the operation that `type` names. */
export const envelope = z.object({
  type: z.string(),
  params: freeForm,
  metadata: freeForm.default(() => ({}))
})
export type Envelope = z.output<typeof envelope>
