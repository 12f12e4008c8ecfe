import { z } from 'zod'
import { freeForm, optional } from './schema.ts'

export const inputText = z.object({ type: z.literal('input_text'), text: z.string() })

/** An entity the user named, such as a person after `@`. */
export const inputTag = z.object({
  type: z.literal('input_tag'),
  id: z.string(),
  text: z.string(),
  data: freeForm,
  group: optional(z.string()),
  interactive: z.boolean().default(false)
})

export const userContent = z.discriminatedUnion('type', [inputText, inputTag])
export const inferenceOptions = z.object({
  tool_choice: optional(z.object({ id: z.string() })),
  model: optional(z.string())
})

/** What the composer sends. */
export const userMessageInput = z.object({
  content: z.array(userContent),
  attachments: z.array(z.string()),
  /** The front end sends `""` when nothing is quoted. */
  quoted_text: optional(z.string()),
  inference_options: inferenceOptions
})

export type UserContent = z.output<typeof userContent>
export type InferenceOptions = z.output<typeof inferenceOptions>
export type UserMessageInput = z.output<typeof userMessageInput>
