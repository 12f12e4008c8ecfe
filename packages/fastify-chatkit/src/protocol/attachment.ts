import { z } from 'zod'
import { freeForm, id, optional } from './schema.ts'

/** Where, and how, the reader's browser sends the bytes of an attachment. */
export const uploadDescriptor = z.object({
  url: z.url(),
  method: z.enum(['POST', 'PUT']),
  headers: z.record(z.string(), z.string()).default(() => ({}))
})

const common = {
  id,
  name: z.string(),
  mime_type: z.string(),
  upload_descriptor: optional(uploadDescriptor),
  /** Set once a message uses it. */
  thread_id: optional(z.string()),
  /** The application's own notes. They never leave the server. */
  metadata: optional(freeForm)
}

export const fileAttachment = z.object({ ...common, type: z.literal('file') })
export const imageAttachment = z.object({ ...common, type: z.literal('image'), preview_url: z.url() })
export const attachment = z.discriminatedUnion('type', [fileAttachment, imageAttachment])

/** Where and how the bytes of an attachment are sent. */
export type UploadDescriptor = z.output<typeof uploadDescriptor>
/** An attachment that is listed by its name. */
export type FileAttachment = z.output<typeof fileAttachment>
/** An attachment that is shown, at `preview_url`. */
export type ImageAttachment = z.output<typeof imageAttachment>
/** A file that goes with a message. `metadata` never leaves the server. */
export type Attachment = z.output<typeof attachment>
