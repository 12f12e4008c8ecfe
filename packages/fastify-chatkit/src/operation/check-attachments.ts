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
  const check = async (id: string) => {
    const found = await threads.findAttachment(id)
    if (!found) throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_NOT_FOUND()
    return found
  }
  // All of them first: whether bytes are there is asked only of what is this owner's.
  const found = await Promise.all([...new Set(input.attachments)].map(check))
  await Promise.all(found.map(async one => await askAttachmentStore(() => store?.verify?.(one, owner))))
}
