import { chatkitErrors } from '../errors.ts'
import { hiddenTypes, type ThreadItem } from '../protocol/item/registry.ts'
import { pageOf } from '../protocol/page.ts'
import { pageSql } from './page-query.ts'
import type { Queryable } from './queryable.ts'
import { isStorableId, type OwnedThreads } from './thread-store.ts'

type Items = Pick<
  OwnedThreads,
  | 'findItem'
  | 'listItems'
  | 'addItem'
  | 'saveItem'
  | 'deleteItem'
  | 'deleteItemsAfter'
  | 'saveFeedback'
  | 'listFeedback'
>

/**
 * The items of one owner's threads, and opinions on them; SQL and nothing else.
 *
 * @param locking whether an item that is found is kept from others until the transaction ends.
 */
export function postgresItems(database: Queryable, schema: string, owner: string, locking: boolean): Items {
  const table = `${schema}.item`
  const insert = `insert into ${table} (owner_id, thread_id, id, type, created_at, data) values ($1, $2, $3, $4, $5, $6)`
  const values = (threadId: string, item: ThreadItem) => [
    owner,
    threadId,
    item.id,
    item.type,
    item.created_at,
    JSON.stringify(item)
  ]
  return {
    async findItem(threadId, itemId) {
      if (!isStorableId(threadId) || !isStorableId(itemId)) return null
      const { rows } = await database.query(
        `select data::text as data from ${table} where owner_id = $1 and thread_id = $2 and id = $3${
          locking ? ' for update' : ''
        }`,
        [owner, threadId, itemId]
      )
      return rows[0] ? itemOf(rows[0]) : null
    },

    async listItems(threadId, { limit, order, after, hidden = false }) {
      if (after !== undefined && !isStorableId(after)) throw new chatkitErrors.FST_CHATKIT_CURSOR_UNKNOWN()
      if (!isStorableId(threadId)) return { data: [], has_more: false }
      const cursor = `select position from ${table} where owner_id = $1 and thread_id = $2 and id = $5`
      const sql = pageSql({
        columns: 'data::text as data',
        from: table,
        // Filtered before the limit, so that a page is full whatever is hidden between its items.
        where: 'owner_id = $1 and thread_id = $2 and type <> all($4::text[])',
        order,
        cursor: after === undefined ? null : cursor,
        limit: '$3'
      })
      const { rows } = await database.query(sql, [
        owner,
        threadId,
        limit,
        hidden ? [] : hiddenTypes,
        ...(after === undefined ? [] : [after])
      ])
      if (rows.length === 0 && after !== undefined && (await this.findItem(threadId, after)) === null)
        throw new chatkitErrors.FST_CHATKIT_CURSOR_UNKNOWN()
      return pageOf(rows.map(itemOf), limit)
    },

    async addItem(threadId, item) {
      if (!isStorableId(threadId)) throw new chatkitErrors.FST_CHATKIT_THREAD_NOT_FOUND()
      await database.query(insert, values(threadId, item)).catch(refused)
    },

    async saveItem(threadId, item) {
      if (!isStorableId(threadId)) throw new chatkitErrors.FST_CHATKIT_THREAD_NOT_FOUND()
      const update = 'on conflict (owner_id, thread_id, id) do update set type = excluded.type, data = excluded.data'
      await database.query(`${insert} ${update}`, values(threadId, item)).catch(refused)
    },

    async deleteItem(threadId, itemId) {
      if (!isStorableId(threadId) || !isStorableId(itemId)) return
      await database.query(`delete from ${table} where owner_id = $1 and thread_id = $2 and id = $3`, [
        owner,
        threadId,
        itemId
      ])
    },

    async deleteItemsAfter(threadId, itemId) {
      if (!isStorableId(threadId) || !isStorableId(itemId)) return 0
      const { rowCount } = await database.query(
        `delete from ${table} where owner_id = $1 and thread_id = $2 and position > (
          select position from ${table} where owner_id = $1 and thread_id = $2 and id = $3
        )`,
        [owner, threadId, itemId]
      )
      return rowCount ?? 0
    },

    async saveFeedback({ thread_id, item_ids, kind }) {
      const ids = item_ids.filter(isStorableId)
      if (!isStorableId(thread_id) || ids.length === 0) return
      // Locked as they are found: an item that is being deleted is waited for, and then passed over, where the foreign key
      // would refuse the opinions on all of them.
      await database.query(
        `insert into ${schema}.feedback (owner_id, thread_id, item_id, kind)
        select owner_id, thread_id, id, $4 from ${table}
        where owner_id = $1 and thread_id = $2 and id = any($3::text[]) order by position for key share
        on conflict (owner_id, thread_id, item_id) do update set kind = excluded.kind, created_at = now()`,
        [owner, thread_id, ids, kind]
      )
    },

    async listFeedback(threadId) {
      if (!isStorableId(threadId)) return []
      const { rows } = await database.query(
        `select item_id, kind from ${schema}.feedback where owner_id = $1 and thread_id = $2 order by position`,
        [owner, threadId]
      )
      return rows.map(row => ({
        item_id: String(row.item_id),
        kind: row.kind === 'positive' ? 'positive' : 'negative'
      }))
    }
  }
}

function itemOf(row: Record<string, unknown>): ThreadItem {
  return JSON.parse(String(row.data))
}

// What the tables themselves refuse: a second item of one id (SQLSTATE 23505), an item without its thread (23503).
function refused(error: unknown): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === '23505') throw new chatkitErrors.FST_CHATKIT_ITEM_EXISTS({ cause: error })
  if (code === '23503') throw new chatkitErrors.FST_CHATKIT_THREAD_NOT_FOUND({ cause: error })
  throw error
}
