import { z } from 'zod'
import { type Attachment, attachment } from '../attachment.ts'
import { optional } from '../schema.ts'
import { inferenceOptions, userContent } from '../user-input.ts'
import { defineItemKind, itemFields } from './item.ts'

/** What the user said. Attachments are copies made when it was sent. */
export const userMessage = defineItemKind({
  type: 'user_message',
  audience: 'reader',
  schema: z.object({
    ...itemFields,
    type: z.literal('user_message'),
    content: z.array(userContent),
    attachments: z.array(attachment).default((): Attachment[] => []),
    quoted_text: optional(z.string()),
    inference_options: inferenceOptions.default(() => ({}))
  }),
  updates: [],
  toClient: item => ({ ...item, attachments: item.attachments.map(publicAttachment) })
})

/** An attachment without the application's notes on it. */
export function publicAttachment({ metadata: _, ...rest }: Attachment): Attachment {
  return rest
}
