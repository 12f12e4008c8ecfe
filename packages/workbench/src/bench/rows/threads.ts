import { migrateChatkit } from 'fastify-chatkit'
import pg from 'pg'

/** How many rows there are to page through. */
export interface ThreadRows {
  /** Items of the longest thread. */
  items: number
  /** Threads of whoever has most. */
  threads: number
  /** Threads of everybody else, a hundred each. */
  others: number
}

/** Whose threads these are. */
export const READER = 'reader'
export const BEGINNER = 'beginner'
export const HOARDER = 'hoarder'

/** Threads of {@link READER}, by how many items they have: 100, or as many as the longest. */
export const SHORT_THREAD = 'thr_short'
export const LONG_THREAD = 'thr_long'
export const itemId = (number: number) => `msg_${number}`
export const threadId = (number: number) => `thr_${number}`

/** Makes the tables and fills them, one statement a kind of row. */
export async function seedThreads(connectionString: string, { items, threads, others }: ThreadRows): Promise<void> {
  const pool = new pg.Pool({ connectionString, max: 1 })
  try {
    await migrateChatkit(pool)
    const addThreads = `insert into chatkit.thread (owner_id, id, created_at, title, status, metadata)`
    const thread = (number: string) => `now(), to_json('Thread ' || ${number}), '{"type":"active"}', '{}'`
    await pool.query(`${addThreads} select '${READER}', id, ${thread('id')} from unnest($1::text[]) id`, [
      [SHORT_THREAD, LONG_THREAD]
    ])
    // Everybody's first thread, then everybody's second: as time would have it.
    await pool.query(
      `${addThreads} select 'other-' || o, 'thr_' || n, ${thread('n')}
       from generate_series(1, 100) n, generate_series(1, $1::int / 100) o`,
      [others]
    )
    for (const [owner, count] of [
      [BEGINNER, 100],
      [HOARDER, threads]
    ] as const) {
      await pool.query(
        `${addThreads} select '${owner}', 'thr_' || n, ${thread('n')} from generate_series(1, $1::int) n`,
        [count]
      )
    }
    for (const [id, count] of [
      [SHORT_THREAD, 100],
      [LONG_THREAD, items]
    ] as const) {
      await pool.query(
        `insert into chatkit.item (owner_id, thread_id, id, type, created_at, data)
         select '${READER}', $1::text, 'msg_' || n, 'assistant_message', now(), json_build_object(
           'id', 'msg_' || n, 'thread_id', $1::text, 'created_at', '2026-01-01T00:00:00.000Z', 'type', 'assistant_message',
           'content', json_build_array(json_build_object('type', 'output_text', 'text', 'Message ' || n, 'annotations', '[]'::json)))
         from generate_series(1, $2::int) n`,
        [id, count]
      )
    }
    for (const table of ['thread', 'item']) await pool.query(`vacuum analyze chatkit.${table}`)
  } finally {
    await pool.end()
  }
}
