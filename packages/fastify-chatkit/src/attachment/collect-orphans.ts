import type { ThreadStore } from '../store/thread-store.ts'
import type { AttachmentStore } from './attachment-store.ts'

/** What `collectOrphans` is told. */
export type CollectOptions = {
  threadStore: ThreadStore
  attachments: AttachmentStore
  /** How long ago an attachment must have been made, in milliseconds: longer than anyone writes at a message. @default 24 hours */
  olderThanMs?: number
  /** Looks also for bytes without a record, which takes a walk through everything stored. @default true */
  bytes?: boolean
  /** Stops between two attachments. */
  signal?: AbortSignal
  /** @default the time of day */
  now?(): Date
}

/** How much was deleted. */
export type Collected = {
  /** Attachments no thread uses, with their bytes. */
  attachments: number
  /** Files nobody has an attachment for: what was left of broken uploads, or when a store was away. */
  bytes: number
}

const pageSize = 100

/**
 * Deletes attachments that no thread uses, and bytes that belong to no attachment. Safe at any time, in several processes,
 * and beside messages that use an attachment at this moment: either the message has it, or it is gone before the message is stored.
 *
 * The record goes first. Should the bytes stay behind, the next run finds them.
 *
 * @throws what the stores throw; what was deleted until then stays deleted, and the rest is for the next run.
 */
export async function collectOrphans(options: CollectOptions): Promise<Collected> {
  const { threadStore, attachments, olderThanMs = 24 * 60 * 60 * 1000, bytes = true, signal } = options
  if (!Number.isFinite(olderThanMs) || olderThanMs < 0)
    throw new TypeError('olderThanMs must be a number of milliseconds, 0 or more')
  const before = new Date((options.now?.() ?? new Date()).getTime() - olderThanMs)
  const collected = { attachments: 0, bytes: 0 }
  const seen = new Set<string>()
  while (true) {
    const unused = await threadStore.listUnusedAttachments(before, pageSize)
    const fresh = unused.filter(one => !seen.has(keyOf(one)))
    // Those listed again were taken by a message, in a store that does not know yet.
    if (fresh.length === 0) break
    for (const one of fresh) {
      signal?.throwIfAborted()
      seen.add(keyOf(one))
      if (!(await threadStore.forOwner(one.owner).deleteUnusedAttachment(one.attachment))) continue
      await attachments.delete(one.attachment, one.owner)
      collected.attachments += 1
    }
  }
  if (bytes && attachments.collect)
    collected.bytes = await attachments.collect(before, async (owner, id) => {
      signal?.throwIfAborted()
      return (await threadStore.forOwner(owner).findAttachment(id)) !== null
    })
  return collected
}

function keyOf({ owner, attachment }: { owner: string; attachment: { id: string } }): string {
  return JSON.stringify([owner, attachment.id])
}
