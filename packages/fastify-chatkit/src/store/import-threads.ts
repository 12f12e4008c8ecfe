import { parseItem, type ThreadItem } from '../protocol/item/registry.ts'
import { threadMetadata } from '../protocol/thread.ts'
import type { OwnedThreads } from './thread-store.ts'

/** A thread as chatkit-python keeps it: the JSON of its `ThreadMetadata` and of its `ThreadItem`s, oldest first. */
export type ForeignThread = { thread: unknown; items: readonly unknown[] }

/** What became of an import. */
export type ImportResult = {
  /** Ids of the threads that are here now. */
  imported: string[]
  /** Ids of those that were here before; they were left alone. */
  skipped: string[]
  /** Threads that could not be read, and why. Nothing of them is here. */
  refused: { thread: unknown; reason: Error }[]
}

/**
 * Brings threads of another ChatKit server, chatkit-python above all, to one owner. Ids stay, however short.
 *
 * Safe to run again: a thread that is here is passed over. Each thread comes whole or not at all. They take their place in
 * the order of their times, after those this owner has: import before people begin new ones.
 *
 * @param options.utcOffsetMinutes of the clock that wrote times without a zone, as chatkit-python does. @default 0, UTC
 */
export async function importThreads(
  threads: OwnedThreads,
  foreign: Iterable<ForeignThread> | AsyncIterable<ForeignThread>,
  options: { utcOffsetMinutes?: number } = {}
): Promise<ImportResult> {
  const { utcOffsetMinutes = 0 } = options
  const result: ImportResult = { imported: [], skipped: [], refused: [] }
  const readable: { thread: ReturnType<typeof readThread>; items: ThreadItem[] }[] = []
  for await (const { thread, items } of foreign) {
    try {
      const read = readThread(zoned(thread, utcOffsetMinutes))
      const readItems = items.map(item => readItem(zoned(item, utcOffsetMinutes), read.id))
      readable.push({ thread: read, items: readItems })
    } catch (error) {
      result.refused.push({ thread, reason: error instanceof Error ? error : new Error(String(error)) })
    }
  }
  readable.sort((a, b) => Date.parse(a.thread.created_at) - Date.parse(b.thread.created_at))
  for (const { thread, items } of readable) {
    const added = await threads.transaction(async tx => {
      if (await tx.findThread(thread.id)) return false
      await tx.saveThread(thread)
      // Twice the same id is twice the same item: the later one is how it was last.
      for (const item of items) await tx.saveItem(thread.id, item)
      return true
    })
    result[added ? 'imported' : 'skipped'].push(thread.id)
  }
  return result
}

function readThread(value: unknown) {
  return threadMetadata.parse(value)
}

function readItem(value: object, thread_id: string): ThreadItem {
  return parseItem({ ...value, thread_id })
}

const naive = /^\d{4}-\d\d-\d\dT[\d:.]+$/

function zoned(value: unknown, offsetMinutes: number): object {
  if (typeof value !== 'object' || value === null) throw new TypeError('Neither a thread nor an item')
  if (!('created_at' in value) || typeof value.created_at !== 'string' || !naive.test(value.created_at)) return value
  const utc = Date.parse(`${value.created_at}Z`) - offsetMinutes * 60_000
  return { ...value, created_at: new Date(utc).toISOString() }
}
