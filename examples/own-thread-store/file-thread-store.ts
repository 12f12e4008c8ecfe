import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Attachment, OwnedThreads, ThreadStore } from 'fastify-chatkit'
import { onShelf, type Shelf, type Thread } from './shelf.ts'

/** What a file holds. Lists, because their order is the order of creation. */
interface Saved {
  owner: string
  threads: [string, Thread][]
  attachments: [string, { savedAt: number; attachment: Attachment }][]
}

/**
 * A thread store that keeps a JSON file for each owner. For one process, and for owners whose threads fit in memory: every
 * operation reads the file, and every change writes it anew.
 */
export function fileThreadStore(folder: string): ThreadStore {
  // Operations of one owner take turns, so that none sees another half done.
  const turns = new Map<string, Promise<unknown>>()
  const inTurn = <Result>(owner: string, work: () => Promise<Result>): Promise<Result> => {
    const result = (turns.get(owner) ?? Promise.resolve()).then(work)
    const settled = result.catch(() => {}).then(() => void (turns.get(owner) === settled && turns.delete(owner)))
    turns.set(owner, settled)
    return result
  }

  /** Each operation is a transaction: the file is written when the work is done, and not at all when it throws. */
  const transaction = <Result>(owner: string, work: (threads: OwnedThreads) => Promise<Result>) =>
    inTurn(owner, async () => {
      const file = join(folder, `${createHash('sha256').update(owner).digest('hex')}.json`)
      const before = await read(file)
      const saved = parse(before)
      const shelf: Shelf = { threads: new Map(saved?.threads), attachments: new Map(saved?.attachments) }
      const result = await work({
        ...onShelf(shelf),
        transaction: () => Promise.reject(new TypeError('A transaction cannot be started within another'))
      })
      const after = JSON.stringify({ owner, threads: [...shelf.threads], attachments: [...shelf.attachments] })
      if (after !== before) await write(file, after)
      return result
    })

  return {
    forOwner(owner) {
      if (!owner || owner.length > 256 || owner.includes('\0') || Buffer.from(owner).toString() !== owner)
        throw new TypeError('An owner is a text of 1 to 256 characters without NUL')
      const single =
        <Name extends Exclude<keyof OwnedThreads, 'transaction'>>(name: Name) =>
        (...values: Parameters<OwnedThreads[Name]>) =>
          transaction(owner, threads => (threads[name] as (...values: unknown[]) => Promise<never>)(...values))
      return {
        findThread: single('findThread'),
        listThreads: single('listThreads'),
        saveThread: single('saveThread'),
        updateThread: single('updateThread'),
        deleteThread: single('deleteThread'),
        findItem: single('findItem'),
        listItems: single('listItems'),
        addItem: single('addItem'),
        saveItem: single('saveItem'),
        deleteItem: single('deleteItem'),
        deleteItemsAfter: single('deleteItemsAfter'),
        findAttachment: single('findAttachment'),
        saveAttachment: single('saveAttachment'),
        deleteAttachment: single('deleteAttachment'),
        deleteUnusedAttachment: single('deleteUnusedAttachment'),
        saveFeedback: single('saveFeedback'),
        listFeedback: single('listFeedback'),
        transaction: work => transaction(owner, work)
      }
    },
    async listUnusedAttachments(before, limit) {
      const files = await readdir(folder).catch(() => [])
      const all = await Promise.all(files.filter(name => name.endsWith('.json')).map(name => read(join(folder, name))))
      const unused = all.map(parse).flatMap(saved => {
        const threads = new Set(saved?.threads.map(([id]) => id))
        const loose = saved?.attachments
          .map(([, kept]) => kept)
          .filter(({ attachment: { thread_id }, savedAt }) => {
            return savedAt < before.getTime() && !(thread_id !== undefined && threads.has(thread_id))
          })
        return (loose ?? []).map(kept => ({ owner: saved?.owner ?? '', ...kept }))
      })
      unused.sort((a, b) => a.savedAt - b.savedAt)
      return unused.slice(0, limit).map(({ owner, attachment }) => ({ owner, attachment }))
    }
  }

  async function read(file: string): Promise<string | null> {
    try {
      return await readFile(file, 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    }
  }

  function parse(text: string | null): Saved | null {
    return text === null ? null : JSON.parse(text)
  }

  /** A file is whole, whenever the process ends. */
  async function write(file: string, text: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(`${file}.new`, text, { mode: 0o600 })
    await rename(`${file}.new`, file)
  }
}
