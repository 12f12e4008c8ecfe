import { z } from 'zod'
import { chatkitErrors } from '../errors.ts'
import { askAttachmentStore } from './hook.ts'
import { jsonOperation } from './operation.ts'

/**
 * Deletes an attachment; one that is not there, or not this owner's, is none to delete. Messages keep their copies.
 *
 * The bytes go first: should that fail, the record is still there to try again with.
 */
export const attachmentsDelete = jsonOperation({
  type: 'attachments.delete',
  params: z.object({ attachment_id: z.string() }),
  async run({ attachment_id }, { owner, threads, settings }) {
    const { attachments } = settings
    if (!attachments) throw new chatkitErrors.FST_CHATKIT_NOT_SUPPORTED('attachments')
    const found = await threads.findAttachment(attachment_id)
    if (!found) return {}
    await askAttachmentStore(() => attachments.delete(found, owner))
    await threads.deleteAttachment(attachment_id)
    return {}
  }
})
