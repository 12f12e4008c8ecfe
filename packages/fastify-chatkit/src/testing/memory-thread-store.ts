import { chatkitErrors } from '../errors.ts'
import type { Attachment } from '../protocol/attachment.ts'
import { isHidden, type ThreadItem } from '../protocol/item/registry.ts'
import { type PageQuery, pageOf } from '../protocol/page.ts'
import type { ThreadMetadata } from '../protocol/thread.ts'
import {
  checkedOwner,
  type Feedback,
  isStorableId,
  type OwnedThreads,
  type ThreadStore
} from '../store/thread-store.ts'

// Records are kept as JSON text, as a database would keep them; a Map keeps the order in which they were first saved.
type Records = Map<string, string>
type Shelf = {
  threads: Records
  items: Map<string, Records>
  attachments: Map<string, { savedAt: Date; text: string }>
  feedback: Map<string, Map<string, Feedback['kind']>>
}

/** A thread store that forgets everything with its process: for tests and first runs. */
export function memoryThreadStore(options: { now?: () => Date } = {}): ThreadStore {
  const { now = () => new Date() } = options
  const shelves = new Map<string, Shelf>()
  // Operations of one owner take turns, so that nobody sees a transaction half done.
  const turns = new Map<string, Promise<unknown>>()
  const inTurn = <Result>(owner: string, work: () => Promise<Result>): Promise<Result> => {
    const result = (turns.get(owner) ?? Promise.resolve()).then(work)
    const settled = result.catch(() => undefined)
    turns.set(owner, settled)
    return result
  }
  const shelfOf = (owner: string) => {
    const shelf = shelves.get(owner) ?? {
      threads: new Map(),
      items: new Map(),
      attachments: new Map(),
      feedback: new Map()
    }
    shelves.set(owner, shelf)
    return shelf
  }
  return {
    forOwner(name) {
      const owner = checkedOwner(name)
      const plain = onShelf(() => shelfOf(owner), now)
      const waiting = Object.fromEntries(
        Object.entries(plain).map(([method, run]) => [
          method,
          (...values: never[]) => inTurn(owner, () => (run as (...values: never[]) => Promise<unknown>)(...values))
        ])
      ) as typeof plain
      return {
        ...waiting,
        transaction: work =>
          inTurn(owner, async () => {
            const before = copy(shelfOf(owner))
            try {
              return await work({
                ...plain,
                transaction: () => Promise.reject(new TypeError('A transaction cannot be started within another'))
              })
            } catch (error) {
              shelves.set(owner, before)
              throw error
            }
          })
      }
    },
    async listUnusedAttachments(before, limit) {
      const unused = [...shelves].flatMap(([owner, { attachments, threads }]) =>
        [...attachments.values()].flatMap(({ savedAt, text }) => {
          const attachment: Attachment = JSON.parse(text)
          const used = attachment.thread_id !== undefined && threads.has(attachment.thread_id)
          return used || savedAt >= before ? [] : [{ owner, attachment, savedAt }]
        })
      )
      unused.sort((a, b) => a.savedAt.getTime() - b.savedAt.getTime())
      return unused.slice(0, limit).map(({ owner, attachment }) => ({ owner, attachment }))
    }
  }
}

function onShelf(shelf: () => Shelf, now: () => Date): Omit<OwnedThreads, 'transaction'> {
  const itemsOf = (threadId: string) => {
    const items = shelf().items.get(threadId)
    if (!items) throw new chatkitErrors.FST_CHATKIT_THREAD_NOT_FOUND()
    return items
  }
  const read = <Value>(text: string | undefined): Value | null => (text === undefined ? null : JSON.parse(text))
  const owned: Omit<OwnedThreads, 'transaction'> = {
    findThread: async id => read<ThreadMetadata>(shelf().threads.get(id)),
    listThreads: async query => page<ThreadMetadata>(shelf().threads, query),
    async saveThread(thread) {
      const { id, created_at, title, status, allowed_image_domains, metadata } = thread
      const known = read<ThreadMetadata>(shelf().threads.get(id))
      const saved = {
        id,
        created_at: known?.created_at ?? created_at,
        title: title ?? undefined,
        status,
        allowed_image_domains: allowed_image_domains ?? undefined,
        metadata
      }
      shelf().threads.set(id, JSON.stringify(saved))
      if (!shelf().items.has(id)) shelf().items.set(id, new Map())
    },
    async updateThread(id, changes) {
      const thread = await owned.findThread(id)
      if (!thread) return null
      await owned.saveThread({ ...thread, ...changes })
      return await owned.findThread(id)
    },
    async deleteThread(id) {
      shelf().threads.delete(id)
      shelf().items.delete(id)
      shelf().feedback.delete(id)
    },
    findItem: async (threadId, id) => read<ThreadItem>(shelf().items.get(threadId)?.get(id)),
    async listItems(threadId, { hidden = false, ...query }) {
      const items = shelf().items.get(threadId) ?? new Map()
      return page<ThreadItem>(items, query, item => hidden || !isHidden(item.type))
    },
    async addItem(threadId, item) {
      const items = itemsOf(threadId)
      if (items.has(item.id)) throw new chatkitErrors.FST_CHATKIT_ITEM_EXISTS()
      items.set(item.id, JSON.stringify(item))
    },
    async saveItem(threadId, item) {
      itemsOf(threadId).set(item.id, JSON.stringify(item))
    },
    async deleteItem(threadId, id) {
      shelf().items.get(threadId)?.delete(id)
      shelf().feedback.get(threadId)?.delete(id)
    },
    async deleteItemsAfter(threadId, id) {
      const ids = [...(shelf().items.get(threadId)?.keys() ?? [])]
      const later = ids.includes(id) ? ids.slice(ids.indexOf(id) + 1) : []
      for (const one of later) await owned.deleteItem(threadId, one)
      return later.length
    },
    findAttachment: async id => read<Attachment>(shelf().attachments.get(id)?.text),
    async saveAttachment(attachment) {
      const savedAt = shelf().attachments.get(attachment.id)?.savedAt ?? now()
      shelf().attachments.set(attachment.id, { savedAt, text: JSON.stringify(attachment) })
    },
    async deleteAttachment(id) {
      shelf().attachments.delete(id)
    },
    async deleteUnusedAttachment({ id, thread_id }) {
      const found = await owned.findAttachment(id)
      return found !== null && found.thread_id === thread_id && shelf().attachments.delete(id)
    },
    async saveFeedback({ thread_id, item_ids, kind }) {
      const known = item_ids.filter(id => shelf().items.get(thread_id)?.has(id))
      const opinions = shelf().feedback.get(thread_id) ?? new Map<string, Feedback['kind']>()
      for (const id of known) opinions.set(id, kind)
      if (known.length > 0) shelf().feedback.set(thread_id, opinions)
    },
    listFeedback: async threadId =>
      [...(shelf().feedback.get(threadId) ?? [])].map(([item_id, kind]) => ({ item_id, kind }))
  }
  return owned
}

function page<Record extends { id: string }>(
  records: Records,
  query: PageQuery,
  wanted: (record: Record) => boolean = () => true
) {
  const { limit, order, after } = query
  let ids = [...records.keys()]
  if (order === 'desc') ids.reverse()
  if (after !== undefined) {
    if (!isStorableId(after) || !records.has(after)) throw new chatkitErrors.FST_CHATKIT_CURSOR_UNKNOWN()
    ids = ids.slice(ids.indexOf(after) + 1)
  }
  const found: Record[] = []
  for (const id of ids) {
    const record: Record = JSON.parse(records.get(id) ?? 'null')
    if (wanted(record)) found.push(record)
    if (found.length > limit) break
  }
  return pageOf(found, limit)
}

function copy({ threads, items, attachments, feedback }: Shelf): Shelf {
  return {
    threads: new Map(threads),
    items: new Map([...items].map(([id, records]) => [id, new Map(records)])),
    attachments: new Map(attachments),
    feedback: new Map([...feedback].map(([id, opinions]) => [id, new Map(opinions)]))
  }
}
