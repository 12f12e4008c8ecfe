import { z } from 'zod'
import { optional } from '../schema.ts'
import { defineItemKind, itemFields } from './item.ts'

const answer = z.object({ values: z.array(z.string()).default(() => []), skipped: z.boolean().default(false) })
const common = { id: z.string(), question: z.string(), answer: optional(answer) }

const question = z.discriminatedUnion('type', [
  z.object({
    ...common,
    type: z.literal('multiple_choice'),
    options: z.array(z.object({ value: z.string() })),
    multiple: z.boolean().default(false)
  }),
  z.object({ ...common, type: z.literal('freeform'), description: optional(z.string()) })
])
/** One question of a structured input; `answer` is there once it was submitted. */
export type Question = z.output<typeof question>
/** What was answered, or that it was not. */
export type Answer = z.output<typeof answer>

/** Questions to the user, answered in one go. */
export const structuredInput = defineItemKind({
  type: 'structured_input',
  audience: 'reader',
  schema: z.object({
    ...itemFields,
    type: z.literal('structured_input'),
    status: z.enum(['pending', 'answered', 'skipped']).default('pending'),
    inputs: z.array(question)
  }),
  updates: []
})
