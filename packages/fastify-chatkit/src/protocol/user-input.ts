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

/** A piece of what the user said: text, or a thing that was named. */
export type UserContent = z.output<typeof userContent>
/** The tool and the model the user chose in the composer: unchecked. */
export type InferenceOptions = z.output<typeof inferenceOptions>
/** A message as the composer sends it; attachments by their ids. */
export type UserMessageInput = z.output<typeof userMessageInput>
