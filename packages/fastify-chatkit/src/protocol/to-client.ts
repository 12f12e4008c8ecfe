import type { Attachment } from './attachment.ts'
import type { StreamEvent } from './event.ts'
import { isHidden, itemKind, type ThreadItem } from './item/registry.ts'
import { publicAttachment } from './item/user-message.ts'
import type { Page } from './page.ts'
import type { Thread, ThreadMetadata } from './thread.ts'

/**
 * A thread as its reader may see it: without the application's metadata, `title` only when there is one.
 */
export function threadToClient(
  thread: ThreadMetadata,
  items: Page<ThreadItem> = { data: [], has_more: false }
): Thread {
  return {
    id: thread.id,
    ...(typeof thread.title === 'string' ? { title: thread.title } : {}),
    created_at: thread.created_at,
    status: withoutNullReason(thread.status),
    ...(thread.allowed_image_domains ? { allowed_image_domains: thread.allowed_image_domains } : {}),
    metadata: {},
    items: { ...items, data: itemsToClient(items.data) }
  }
}

/** An item as its reader may see it, or `null` for one that must never leave. */
export function itemToClient(item: ThreadItem): ThreadItem | null {
  if (isHidden(item.type)) return null
  return itemKind(item.type)?.toClient(item) ?? null
}

/** The items of a list that may leave. */
export function itemsToClient(items: readonly ThreadItem[]): ThreadItem[] {
  return items.map(itemToClient).filter(item => item !== null)
}

/** An attachment as its reader may see it: without the application's notes. */
export const attachmentToClient: (attachment: Attachment) => Attachment = publicAttachment

/** The last look at an event before it leaves: `null` when it would give away an item that is for the server alone. */
export function eventToClient(event: StreamEvent): StreamEvent | null {
  if (!('item' in event)) return event
  const item = itemToClient(event.item)
  return item && { type: event.type, item }
}

function withoutNullReason(status: ThreadMetadata['status']): ThreadMetadata['status'] {
  if (status.type === 'active' || status.reason === undefined || status.reason === null) return { type: status.type }
  return { type: status.type, reason: status.reason }
}
