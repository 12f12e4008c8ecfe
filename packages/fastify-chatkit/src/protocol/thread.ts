import { z } from 'zod'
import type { ThreadItem } from './item/registry.ts'
import type { Page } from './page.ts'
import { freeForm, id, optional, timestamp } from './schema.ts'

export const threadStatus = z.discriminatedUnion('type', [
  z.object({ type: z.literal('active') }),
  z.object({ type: z.literal('locked'), reason: optional(z.string()) }),
  z.object({ type: z.literal('closed'), reason: optional(z.string()) })
])
/** Whether a thread can be gone on with; `reason` is for its reader. */
export type ThreadStatus = z.output<typeof threadStatus>

/** A thread without its items, as it is stored and as a responder sees it. */
export const threadMetadata = z.object({
  id,
  created_at: timestamp,
  title: optional(z.string()),
  status: threadStatus.default(() => ({ type: 'active' as const })),
  allowed_image_domains: optional(z.array(z.string())),
  /** The application's own notes. They never leave the server. */
  metadata: freeForm.default(() => ({}))
})

/**
 * A thread without its items. A responder may assign `title`, `status`, `allowed_image_domains` and the keys of `metadata`;
 * the change is saved, and told to the reader, after the next event.
 */
export interface ThreadMetadata {
  readonly id: string
  readonly created_at: string
  title?: string | null | undefined
  status: ThreadStatus
  allowed_image_domains?: string[] | null | undefined
  metadata: Record<string, unknown>
}

/** What of a thread can change. */
export type ThreadChanges = Partial<Pick<ThreadMetadata, 'title' | 'status' | 'allowed_image_domains' | 'metadata'>>

/** A thread as the reader sees it. */
export interface Thread {
  id: string
  created_at: string
  title?: string
  status: ThreadStatus
  allowed_image_domains?: string[]
  /** Always empty on the wire. */
  metadata: Record<string, never>
  items: Page<ThreadItem>
}
