import type { Attachment } from '../protocol/attachment.ts'
import type { ThreadItem } from '../protocol/item/registry.ts'
import type { Page, PageQuery } from '../protocol/page.ts'
import { isWellFormed } from '../protocol/schema.ts'
import type { ThreadChanges, ThreadMetadata } from '../protocol/thread.ts'

/**
 * Keeps threads. The only door to them is an owner: there is no read and no write without one.
 *
 * `null` means "this owner has no such thing", whether nobody has it or somebody else does. A throw that is no `FST_CHATKIT_*` error is an outage.
 */
export interface ThreadStore {
  /** The threads of one owner. Costs nothing; asks nothing of the database. */
  forOwner(owner: string): OwnedThreads
  /**
   * For housekeeping alone: attachments of whatever owner that no thread uses, saved before that time, oldest first.
   * Theirs are the bytes to collect.
   */
  listUnusedAttachments(before: Date, limit: number): Promise<{ owner: string; attachment: Attachment }[]>
}

/** Which items: a page of them, with those only the server may see when `hidden` is true. */
export type ItemQuery = PageQuery & {
  /** @default false */
  hidden?: boolean
}

/** A reader's opinion of some items. */
export type Feedback = { thread_id: string; item_ids: string[]; kind: 'positive' | 'negative' }

/** What one owner has. Records come in the order they were first saved, whatever their times say. */
export interface OwnedThreads {
  /** In a transaction, what was found stays as it is until the end: nobody else changes or deletes it meanwhile. */
  findThread(threadId: string): Promise<ThreadMetadata | null>
  /** @throws FST_CHATKIT_CURSOR_UNKNOWN for an `after` that names no thread of this owner. */
  listThreads(query: PageQuery): Promise<Page<ThreadMetadata>>
  /** Adds a thread, or replaces all that can change of one. */
  saveThread(thread: ThreadMetadata): Promise<void>
  /** Changes what is named, and nothing else. `null` when there is no such thread; else the thread as it is now. */
  updateThread(threadId: string, changes: ThreadChanges): Promise<ThreadMetadata | null>
  /** Deletes a thread and its items; no matter whether it was there. Its attachments stay. */
  deleteThread(threadId: string): Promise<void>

  /** In a transaction, what was found stays as it is until the end: nobody else changes or deletes it meanwhile. */
  findItem(threadId: string, itemId: string): Promise<ThreadItem | null>
  /**
   * A page of items; an empty one for an unknown thread. A hidden item is a valid `after`, and never makes a page short.
   *
   * @throws FST_CHATKIT_CURSOR_UNKNOWN for an `after` that names no item of this thread.
   */
  listItems(threadId: string, query: ItemQuery): Promise<Page<ThreadItem>>
  /**
   * Adds an item at the end.
   *
   * @throws FST_CHATKIT_ITEM_EXISTS when the thread has an item of that id; FST_CHATKIT_THREAD_NOT_FOUND when the thread is gone.
   */
  addItem(threadId: string, item: ThreadItem): Promise<void>
  /** Replaces an item where it stands, or adds it at the end. @throws FST_CHATKIT_THREAD_NOT_FOUND when the thread is gone. */
  saveItem(threadId: string, item: ThreadItem): Promise<void>
  /** Deletes an item; no matter whether it was there. */
  deleteItem(threadId: string, itemId: string): Promise<void>
  /** Deletes every item that was added after that one, at once. Returns how many. */
  deleteItemsAfter(threadId: string, itemId: string): Promise<number>

  /** In a transaction, what was found stays as it is until the end: nobody else changes or deletes it meanwhile. */
  findAttachment(attachmentId: string): Promise<Attachment | null>
  /** Adds or replaces an attachment. */
  saveAttachment(attachment: Attachment): Promise<void>
  /** Deletes the record; no matter whether it was there. Messages keep their copies. */
  deleteAttachment(attachmentId: string): Promise<void>
  /**
   * Deletes the record of an attachment that was listed as unused, unless a message has taken it since.
   * Decided and done at once, so that it is safe beside messages being stored.
   *
   * @param attachment as `listUnusedAttachments` gave it.
   * @returns whether it was deleted.
   */
  deleteUnusedAttachment(attachment: Attachment): Promise<boolean>

  /** Keeps an opinion; a later one on the same item replaces it. Ids this owner does not have are passed over. */
  saveFeedback(feedback: Feedback): Promise<void>
  /** The opinions kept for a thread, oldest first. */
  listFeedback(threadId: string): Promise<{ item_id: string; kind: Feedback['kind'] }[]>

  /**
   * Runs several of the above as one: all of it happens, or, when `work` throws, nothing.
   * Inside, use only the argument; a transaction cannot be started within another. `work` is called again when the
   * database undid it because of somebody else's at the same time.
   */
  transaction<Result>(work: (threads: OwnedThreads) => Promise<Result>): Promise<Result>
}

/** Whether text can be an id in any store: at most 256 characters, none of which a database refuses. An id that cannot be is nobody's. */
export function isStorableId(text: string): boolean {
  return text.length > 0 && text.length <= 256 && !text.includes('\0') && isWellFormed(text)
}

/** @throws TypeError for an owner no store can keep. */
export function checkedOwner(owner: string): string {
  if (typeof owner === 'string' && isStorableId(owner)) return owner
  throw new TypeError('An owner is a text of 1 to 256 characters without NUL')
}
