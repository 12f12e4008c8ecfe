import { randomUUID } from 'node:crypto'
import { newId } from '../protocol/ids.ts'
import type { ThreadItem } from '../protocol/item/registry.ts'
import type { ThreadMetadata } from '../protocol/thread.ts'
import type { OwnedThreads, ThreadStore } from '../store/thread-store.ts'

/** An owner nobody else is. */
export function owner(): string {
  return `owner-${randomUUID()}`
}

export function thread(fields: Partial<ThreadMetadata> = {}, id = newId('thread')): ThreadMetadata {
  return { id, created_at: '2026-01-02T03:04:05.678Z', status: { type: 'active' }, metadata: {}, ...fields }
}

export async function withThread(store: ThreadStore): Promise<[OwnedThreads, string]> {
  const mine = store.forOwner(owner())
  const one = thread()
  await mine.saveThread(one)
  return [mine, one.id]
}

/** What every item has. */
export function common(thread_id: string, prefix: string) {
  return { id: `${prefix}_${randomUUID()}`, thread_id, created_at: '2026-01-02T03:04:05.678Z' }
}

export function message(thread_id: string, text: string, id?: string): ThreadItem {
  return {
    ...common(thread_id, 'msg'),
    ...(id === undefined ? {} : { id }),
    type: 'assistant_message',
    content: [{ type: 'output_text', text, annotations: [] }]
  }
}
