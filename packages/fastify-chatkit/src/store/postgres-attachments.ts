import type { Queryable } from './queryable.ts'
import { isStorableId, type OwnedThreads } from './thread-store.ts'

type Attachments = Pick<
  OwnedThreads,
  'findAttachment' | 'saveAttachment' | 'deleteAttachment' | 'deleteUnusedAttachment'
>

/**
 * The attachments of one owner; SQL and nothing else.
 *
 * @param locking whether what is found is kept from others until the transaction ends.
 */
export function postgresAttachments(database: Queryable, schema: string, owner: string, locking: boolean): Attachments {
  const table = `${schema}.attachment`
  return {
    async findAttachment(attachmentId) {
      if (!isStorableId(attachmentId)) return null
      const { rows } = await database.query(
        `select data::text as data from ${table} where owner_id = $1 and id = $2${locking ? ' for update' : ''}`,
        [owner, attachmentId]
      )
      return rows[0] ? JSON.parse(String(rows[0].data)) : null
    },

    async saveAttachment(attachment) {
      await database.query(
        `insert into ${table} (owner_id, id, thread_id, data) values ($1, $2, $3, $4)
        on conflict (owner_id, id) do update set thread_id = excluded.thread_id, data = excluded.data`,
        [owner, attachment.id, attachment.thread_id ?? null, JSON.stringify(attachment)]
      )
    },

    async deleteAttachment(attachmentId) {
      if (!isStorableId(attachmentId)) return
      await database.query(`delete from ${table} where owner_id = $1 and id = $2`, [owner, attachmentId])
    },

    async deleteUnusedAttachment({ id, thread_id }) {
      // One statement: it waits for a message that holds the row, and then sees the thread that message put there.
      const { rowCount } = await database.query(
        `delete from ${table} where owner_id = $1 and id = $2 and thread_id is not distinct from $3`,
        [owner, id, thread_id ?? null]
      )
      return rowCount === 1
    }
  }
}
