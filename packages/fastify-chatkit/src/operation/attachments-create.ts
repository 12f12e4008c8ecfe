import { z } from 'zod'
import { chatkitErrors } from '../errors.ts'
import { attachment } from '../protocol/attachment.ts'
import { attachmentToClient } from '../protocol/to-client.ts'
import { askAttachmentStore } from './hook.ts'
import { jsonOperation } from './operation.ts'

/** Announces a file. The answer says where its bytes go. */
export const attachmentsCreate = jsonOperation({
  type: 'attachments.create',
  params: z.object({ name: z.string(), size: z.int().min(0), mime_type: z.string() }),
  async run({ name, size, mime_type }, { owner, threads, settings }) {
    const { attachments } = settings
    if (!attachments) throw new chatkitErrors.FST_CHATKIT_NOT_SUPPORTED('attachments')
    if (size > settings.limits.attachmentBytes) throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_TOO_LARGE()
    const id = settings.newId('attachment')
    const record = await askAttachmentStore(async () => {
      const created = await attachments.create({ id, owner, name, size, mimeType: mime_type })
      const type = created.preview_url === undefined ? 'file' : 'image'
      return attachment.parse({ ...created, id, name, mime_type, type })
    })
    await threads.saveAttachment(record)
    return attachmentToClient(record)
  }
})
