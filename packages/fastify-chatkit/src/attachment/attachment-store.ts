import type { Readable } from 'node:stream'
import type { Attachment, UploadDescriptor } from '../protocol/attachment.ts'

/** What the composer says about a file before it sends it. */
export type AttachmentRequest = {
  /** The id the attachment will have. */
  id: string
  owner: string
  name: string
  /** Bytes, as the front end claims. */
  size: number
  mimeType: string
}

/** Where an attachment's bytes go. Records are the thread store's business. */
export interface AttachmentStore {
  /**
   * Prepares for the bytes and says where they go.
   *
   * @returns what the reader learns. `metadata` is for the server alone. Without `upload_descriptor` the bytes are already there.
   * @throws FST_CHATKIT_ATTACHMENT_REFUSED for a size, name or type that is not wanted; anything else is an outage.
   */
  create(request: AttachmentRequest): Promise<CreatedAttachment>
  /** Deletes the bytes; no matter whether they were there. Only called for an attachment its owner has. */
  delete(attachment: Attachment, owner: string): Promise<void>
  /**
   * Asked before a message uses an attachment: are its bytes there, and are they what was announced?
   * A store that does not say is believed.
   *
   * @throws FST_CHATKIT_ATTACHMENT_NOT_UPLOADED; FST_CHATKIT_ATTACHMENT_REFUSED for bytes of another type; anything else is an outage.
   */
  verify?(attachment: Attachment, owner: string): Promise<void>
  /**
   * An address to show an image at, made afresh each time the attachment is read. With it, no address is kept in the history.
   *
   * @returns `null` for an attachment whose `preview_url` stays as it was saved.
   */
  previewUrl?(attachment: Attachment, owner: string): string | null | Promise<string | null>
  /**
   * The bytes, for a responder say. The stream is to be read to its end, or destroyed.
   *
   * @throws FST_CHATKIT_ATTACHMENT_NOT_UPLOADED; anything else is an outage.
   */
  read?(attachment: Pick<Attachment, 'id'>, owner: string): Promise<{ size: number; stream: Readable }>
  /**
   * For housekeeping: deletes what was stored before that time and nobody knows, leftovers of broken uploads included.
   *
   * @param isKnown whether the owner has an attachment of that id.
   * @returns how many were deleted.
   */
  collect?(before: Date, isKnown: (owner: string, attachmentId: string) => Promise<boolean>): Promise<number>
}

/** What a store says of an attachment it expects. */
export type CreatedAttachment = {
  /** Makes the attachment an image. */
  preview_url?: string
  upload_descriptor?: UploadDescriptor
  metadata?: Record<string, unknown>
}
