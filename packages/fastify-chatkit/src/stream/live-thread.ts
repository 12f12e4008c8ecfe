import { type ThreadChanges, type ThreadMetadata, threadMetadata } from '../protocol/thread.ts'
import type { OwnedThreads } from '../store/thread-store.ts'

const fields = ['title', 'status', 'allowed_image_domains', 'metadata'] as const
type Field = (typeof fields)[number]

/**
 * A thread a responder may change, and what it changed.
 *
 * Only what was handed out or assigned is compared, so that a stream of text does not pay for a thread nobody looks at.
 */
export class LiveThread {
  /** For the responder: plain properties, to look at. */
  readonly thread: ThreadMetadata
  readonly #values: Record<Field, unknown>
  readonly #saved: Record<Field, string>
  readonly #touched = new Set<Field>()
  /** As the store has it, so far as is known here. */
  #title: string | null

  constructor(thread: ThreadMetadata) {
    const { title = null, status, allowed_image_domains = null, metadata } = structuredClone(thread)
    this.#title = title
    this.#values = { title, status, allowed_image_domains, metadata }
    this.#saved = {
      title: text(title),
      status: text(status),
      allowed_image_domains: text(allowed_image_domains),
      metadata: text(metadata)
    }
    const live = Object.defineProperties(
      { id: thread.id, created_at: thread.created_at },
      Object.fromEntries(
        fields.map(field => [
          field,
          {
            enumerable: true,
            get: () => {
              // A title cannot be changed in place.
              if (field !== 'title') this.#touched.add(field)
              return this.#values[field]
            },
            set: (value: unknown) => {
              this.#touched.add(field)
              this.#values[field] = value
            }
          }
        ])
      )
    )
    this.thread = live as ThreadMetadata
  }

  /** Whether there can be a change at all. */
  get touched(): boolean {
    return this.#touched.size > 0
  }

  /**
   * Saves what is different since the last time. A name that somebody gave the thread meanwhile stays, and is its title here as well.
   *
   * @returns the thread as it is now; `null` when nothing is different, or the thread is gone.
   * @throws ZodError for what no thread can have, such as a status there is none of: once, and then it is forgotten. What the
   * store throws; the next time it is tried again.
   */
  async save(threads: OwnedThreads): Promise<ThreadMetadata | null> {
    const changes = this.#takeChanges()
    if (!changes) return null
    const { id } = this.thread
    try {
      if (!('title' in changes)) return await threads.updateThread(id, changes)
      const saved = await threads.transaction(tx => this.#saveTitled(tx, changes))
      this.#title = saved?.title ?? null
      if (this.#title !== changes.title) {
        this.#values.title = this.#title
        this.#saved.title = text(this.#title)
      }
      return saved
    } catch (error) {
      for (const field of fields) if (field in changes) this.#saved[field] = ''
      throw error
    }
  }

  async #saveTitled(threads: OwnedThreads, { title, ...rest }: ThreadChanges): Promise<ThreadMetadata | null> {
    const { id } = this.thread
    const now = await threads.findThread(id)
    const isKnown = (now?.title ?? null) === this.#title
    return await threads.updateThread(id, isKnown ? { ...rest, title } : rest)
  }

  #takeChanges(): ThreadChanges | null {
    const changed = [...this.#touched].filter(field => text(this.#values[field]) !== this.#saved[field])
    if (changed.length === 0) return null
    for (const field of changed) this.#saved[field] = text(this.#values[field])
    const raw = Object.fromEntries(changed.map(field => [field, this.#values[field] ?? null]))
    const { id, created_at } = this.thread
    const parsed = threadMetadata.parse({ id, created_at, ...raw })
    return Object.fromEntries(changed.map(field => [field, structuredClone(parsed[field]) ?? null]))
  }
}

function text(value: unknown): string {
  return JSON.stringify(value ?? null)
}
