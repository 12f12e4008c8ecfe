import {
  type Attachment,
  chatkitErrors,
  type Feedback,
  isHidden,
  type OwnedThreads,
  type Page,
  type PageQuery,
  type ThreadItem,
  type ThreadMetadata
} from 'fastify-chatkit'

/** A thread with all that belongs to it: it goes as a whole. */
export interface Thread {
  thread: ThreadMetadata
  items: ThreadItem[]
  feedback: { item_id: string; kind: Feedback['kind'] }[]
}

/** What one owner has, in memory. A Map keeps the order in which records were first saved. */
export interface Shelf {
  threads: Map<string, Thread>
  attachments: Map<string, { savedAt: number; attachment: Attachment }>
}

/** Every operation but the transaction, on a shelf that is this owner's alone. */
export function onShelf({ threads, attachments }: Shelf): Omit<OwnedThreads, 'transaction'> {
  const owned: Omit<OwnedThreads, 'transaction'> = {
    findThread: async id => threads.get(id)?.thread ?? null,
    listThreads: async query =>
      pageOf(
        [...threads.values()].map(({ thread }) => thread),
        query
      ),
    async saveThread({ title, allowed_image_domains, ...rest }) {
      const known = threads.get(rest.id)
      const thread = {
        ...rest,
        created_at: known?.thread.created_at ?? rest.created_at,
        ...(title === null || title === undefined ? {} : { title }),
        ...(allowed_image_domains ? { allowed_image_domains } : {})
      }
      threads.set(rest.id, { thread, items: known?.items ?? [], feedback: known?.feedback ?? [] })
    },
    async updateThread(id, changes) {
      const known = threads.get(id)
      if (!known) return null
      await owned.saveThread({ ...known.thread, ...changes })
      return owned.findThread(id)
    },
    deleteThread: async id => void threads.delete(id),

    findItem: async (threadId, id) => threads.get(threadId)?.items.find(item => item.id === id) ?? null,
    listItems: async (threadId, { hidden = false, ...query }) =>
      pageOf(threads.get(threadId)?.items ?? [], query, item => hidden || !isHidden(item.type)),
    async addItem(threadId, item) {
      const { items } = existing(threadId)
      if (items.some(({ id }) => id === item.id)) throw new chatkitErrors.FST_CHATKIT_ITEM_EXISTS()
      items.push(item)
    },
    async saveItem(threadId, item) {
      const { items } = existing(threadId)
      const at = items.findIndex(({ id }) => id === item.id)
      items.splice(at < 0 ? items.length : at, at < 0 ? 0 : 1, item)
    },
    deleteItem: async (threadId, itemId) => void remove(threadId, ({ id }) => id === itemId),
    async deleteItemsAfter(threadId, itemId) {
      const items = threads.get(threadId)?.items ?? []
      const at = items.findIndex(({ id }) => id === itemId)
      const later = at < 0 ? [] : items.slice(at + 1)
      return remove(threadId, item => later.includes(item))
    },

    findAttachment: async id => attachments.get(id)?.attachment ?? null,
    async saveAttachment(attachment) {
      const savedAt = attachments.get(attachment.id)?.savedAt ?? Date.now()
      attachments.set(attachment.id, { savedAt, attachment })
    },
    deleteAttachment: async id => void attachments.delete(id),
    async deleteUnusedAttachment({ id, thread_id }) {
      const found = attachments.get(id)
      return found !== undefined && found.attachment.thread_id === thread_id && attachments.delete(id)
    },

    async saveFeedback({ thread_id, item_ids, kind }) {
      const known = threads.get(thread_id)
      for (const item_id of item_ids) {
        if (!known?.items.some(({ id }) => id === item_id)) continue
        const before = known.feedback.find(one => one.item_id === item_id)
        if (before) before.kind = kind
        else known.feedback.push({ item_id, kind })
      }
    },
    listFeedback: async threadId => threads.get(threadId)?.feedback ?? []
  }
  return owned

  function existing(threadId: string): Thread {
    const known = threads.get(threadId)
    if (!known) throw new chatkitErrors.FST_CHATKIT_THREAD_NOT_FOUND()
    return known
  }

  function remove(threadId: string, unwanted: (item: ThreadItem) => boolean): number {
    const known = threads.get(threadId)
    if (!known) return 0
    const before = known.items.length
    known.items = known.items.filter(item => !unwanted(item))
    known.feedback = known.feedback.filter(({ item_id }) => known.items.some(({ id }) => id === item_id))
    return before - known.items.length
  }
}

function pageOf<Kept extends { id: string }>(
  all: Kept[],
  { limit, order, after }: PageQuery,
  wanted: (record: Kept) => boolean = () => true
): Page<Kept> {
  let rest = order === 'desc' ? all.toReversed() : all
  if (after !== undefined) {
    const at = rest.findIndex(({ id }) => id === after)
    if (at < 0) throw new chatkitErrors.FST_CHATKIT_CURSOR_UNKNOWN()
    rest = rest.slice(at + 1)
  }
  const found = rest.filter(wanted)
  const data = found.slice(0, limit)
  const last = data.at(-1)
  return found.length > limit && last ? { data, has_more: true, after: last.id } : { data, has_more: false }
}
