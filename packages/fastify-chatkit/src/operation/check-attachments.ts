import { chatkitErrors } from '../errors.ts'
import type { UserMessageInput } from '../protocol/user-input.ts'
import { askAttachmentStore } from './hook.ts'
import type { Call } from './operation.ts'

/**
 * Asks whether the attachments of a message are there, records and bytes. Before its transaction: the bytes may be far away.
 *
 * @throws FST_CHATKIT_ATTACHMENT_NOT_FOUND for one that is not there, or not this owner's; FST_CHATKIT_ATTACHMENT_NOT_UPLOADED;
 * FST_CHATKIT_ATTACHMENT_REFUSED.
 */
export async function checkAttachments(
  input: UserMessageInput,
  { threads, owner, settings }: Pick<Call, 'threads' | 'owner' | 'settings'>
): Promise<void> {
  const { attachments: store } = settings
  const ids = [...new Set(input.attachments)]
  const found = await Promise.all(ids.map(id => threads.findAttachment(id)))
  if (found.includes(null)) throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_NOT_FOUND()
  await Promise.all(found.map(attachment => attachment && askAttachmentStore(() => store?.verify?.(attachment, owner))))
}
