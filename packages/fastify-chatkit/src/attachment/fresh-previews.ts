import { chatkitErrors, isChatKitError } from '../errors.ts'
import type { Attachment } from '../protocol/attachment.ts'
import type { ThreadItem } from '../protocol/item/registry.ts'
import type { OwnedThreads } from '../store/thread-store.ts'
import type { AttachmentStore } from './attachment-store.ts'

/**
 * The same threads, whose images come with an address made when they are read, and are saved without it: addresses that
 * are signed expire, and a history is for good.
 */
export function withFreshPreviews(
  threads: OwnedThreads,
  attachments: Pick<AttachmentStore, 'previewUrl'> | null,
  owner: string
): OwnedThreads {
  if (!attachments?.previewUrl) return threads
  const previewUrl = async (attachment: Attachment): Promise<string | null> => {
    try {
      return (await attachments.previewUrl?.(attachment, owner)) ?? null
    } catch (cause) {
      if (isChatKitError(cause)) throw cause
      throw new chatkitErrors.FST_CHATKIT_ATTACHMENTS_UNAVAILABLE({ cause })
    }
  }
  const fresh = async (attachment: Attachment): Promise<Attachment> => {
    if (attachment.type !== 'image') return attachment
    const preview_url = await previewUrl(attachment)
    return preview_url === null ? attachment : { ...attachment, preview_url }
  }
  const bare = async (attachment: Attachment): Promise<Attachment> => {
    if (attachment.type !== 'image' || (await previewUrl(attachment)) === null) return attachment
    return { ...attachment, preview_url: `attachment:${encodeURIComponent(attachment.id)}` }
  }
  const changed: Partial<OwnedThreads> = {
    async findItem(threadId, itemId) {
      const item = await threads.findItem(threadId, itemId)
      return item && (await withAttachments(item, fresh))
    },
    async listItems(threadId, query) {
      const page = await threads.listItems(threadId, query)
      return { ...page, data: await Promise.all(page.data.map(item => withAttachments(item, fresh))) }
    },
    addItem: async (threadId, item) => await threads.addItem(threadId, await withAttachments(item, bare)),
    saveItem: async (threadId, item) => await threads.saveItem(threadId, await withAttachments(item, bare)),
    async findAttachment(attachmentId) {
      const found = await threads.findAttachment(attachmentId)
      return found && (await fresh(found))
    },
    saveAttachment: async attachment => await threads.saveAttachment(await bare(attachment)),
    transaction: work => threads.transaction(tx => work(withFreshPreviews(tx, attachments, owner)))
  }
  return new Proxy(threads, {
    get(target, name) {
      if (Object.hasOwn(changed, name)) return Reflect.get(changed, name)
      const value: unknown = Reflect.get(target, name)
      // Bound: a store may be of a class with private fields.
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

async function withAttachments(
  item: ThreadItem,
  change: (attachment: Attachment) => Promise<Attachment>
): Promise<ThreadItem> {
  if (item.type !== 'user_message' || item.attachments.length === 0) return item
  return { ...item, attachments: await Promise.all(item.attachments.map(change)) }
}
