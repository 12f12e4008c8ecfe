import { chatkitErrors } from '../errors.ts'
import type { Attachment } from '../protocol/attachment.ts'
import type { UserMessageItem } from '../protocol/item/registry.ts'
import type { UserMessageInput } from '../protocol/user-input.ts'
import type { OwnedThreads } from '../store/thread-store.ts'
import type { Settings } from './operation.ts'

/**
 * Stores what the user said; within a transaction, so that nothing is left of a message that is refused.
 *
 * @throws FST_CHATKIT_ATTACHMENT_NOT_FOUND for an attachment that is not there, or not this owner's.
 */
export async function storeUserMessage(
  threads: OwnedThreads,
  threadId: string,
  input: UserMessageInput,
  settings: Settings
): Promise<UserMessageItem> {
  const used = new Map<string, Attachment>()
  // Finding locks: always in one order, or two messages with the same attachments could wait for each other.
  for (const id of [...new Set(input.attachments)].sort()) {
    const found = await threads.findAttachment(id)
    if (!found) throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_NOT_FOUND()
    const attachment = { ...found, thread_id: threadId }
    // It may be a signed URL, and a history is for good.
    if (!settings.keepUploadDescriptor) delete attachment.upload_descriptor
    await threads.saveAttachment(attachment)
    used.set(id, attachment)
  }
  const attachments = input.attachments.flatMap(id => used.get(id) ?? [])
  const item: UserMessageItem = {
    id: settings.newId('user_message'),
    thread_id: threadId,
    created_at: settings.now().toISOString(),
    type: 'user_message',
    content: input.content,
    attachments,
    ...(input.quoted_text === undefined ? {} : { quoted_text: input.quoted_text }),
    inference_options: input.inference_options
  }
  await threads.addItem(threadId, item)
  return item
}

/** @throws FST_CHATKIT_MESSAGE_TOO_LONG, FST_CHATKIT_TOO_MANY_ATTACHMENTS. */
export function checkUserMessage(input: UserMessageInput, { limits }: Settings): void {
  const length = input.content.reduce((sum, part) => sum + part.text.length, input.quoted_text?.length ?? 0)
  if (length > limits.messageLength) throw new chatkitErrors.FST_CHATKIT_MESSAGE_TOO_LONG()
  if (input.attachments.length > limits.attachments) throw new chatkitErrors.FST_CHATKIT_TOO_MANY_ATTACHMENTS()
}
