import { type ThreadChanges, type ThreadMetadata, threadMetadata } from '../protocol/thread.ts'

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

  constructor(thread: ThreadMetadata) {
    const { title = null, status, allowed_image_domains = null, metadata } = structuredClone(thread)
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
   * What is different since the last time this was asked, or `null`.
   *
   * @throws ZodError for what no thread can have, such as a status there is none of. It is asked for once, and then forgotten.
   */
  takeChanges(): ThreadChanges | null {
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
