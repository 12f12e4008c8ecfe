import type { ThreadStore } from 'fastify-chatkit'
import type { Tool } from 'fastify-chatkit/chat-completions'
import type pg from 'pg'
import { ownSessions } from '../own-sessions.ts'

/** How many threads a model is told of, the newest. */
const MAX_THREADS = 30

/** What a model may look up about whoever is asking, and about nobody else: neither takes an argument. */
export function ownTools(pool: pg.Pool, threadStore: ThreadStore): Tool[] {
  return [
    {
      name: 'my_sessions',
      description:
        'Where the person you speak with is signed in: since when, until when, address and browser of each session.',
      execute: async (_, { turn }) => await ownSessions(pool, turn.owner)
    },
    {
      name: 'my_threads',
      description: `Titles and dates of the conversations of the person you speak with, the newest ${MAX_THREADS}.`,
      async execute(_, { turn }) {
        const page = await threadStore.forOwner(turn.owner).listThreads({ limit: MAX_THREADS, order: 'desc' })
        return page.data.map(({ id, title, created_at }) => {
          const isCurrent = id === turn.thread.id
          // A name that was given just now may not be stored yet.
          const name = isCurrent ? turn.thread.title : title
          return { title: name ?? null, created_at, ...(isCurrent ? { current: true } : {}) }
        })
      }
    }
  ]
}
