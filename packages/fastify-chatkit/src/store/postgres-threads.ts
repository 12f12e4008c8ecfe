import { chatkitErrors } from '../errors.ts'
import { pageOf } from '../protocol/page.ts'
import type { ThreadMetadata } from '../protocol/thread.ts'
import { pageSql } from './page-query.ts'
import type { Queryable } from './queryable.ts'
import { isStorableId, type OwnedThreads } from './thread-store.ts'

type Threads = Pick<OwnedThreads, 'findThread' | 'listThreads' | 'saveThread' | 'updateThread' | 'deleteThread'>

const columns = `id, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at,
  title::text as title, status::text as status, allowed_image_domains::text as allowed_image_domains,
  metadata::text as metadata`

/**
 * The threads of one owner; SQL and nothing else.
 *
 * @param locking whether a thread that is found is kept from others until the transaction ends.
 */
export function postgresThreads(database: Queryable, schema: string, owner: string, locking: boolean): Threads {
  const table = `${schema}.thread`
  return {
    async findThread(threadId) {
      if (!isStorableId(threadId)) return null
      const { rows } = await database.query(
        // Items may be added to it meanwhile.
        `select ${columns} from ${table} where owner_id = $1 and id = $2${locking ? ' for no key update' : ''}`,
        [owner, threadId]
      )
      return rows[0] ? threadOf(rows[0]) : null
    },

    async listThreads({ limit, order, after }) {
      if (after !== undefined && !isStorableId(after)) throw new chatkitErrors.FST_CHATKIT_CURSOR_UNKNOWN()
      const cursor = `select position from ${table} where owner_id = $1 and id = $3`
      const sql = pageSql({
        columns,
        from: table,
        where: 'owner_id = $1',
        order,
        cursor: after === undefined ? null : cursor,
        limit: '$2'
      })
      const { rows } = await database.query(sql, after === undefined ? [owner, limit] : [owner, limit, after])
      if (rows.length === 0 && after !== undefined && (await this.findThread(after)) === null)
        throw new chatkitErrors.FST_CHATKIT_CURSOR_UNKNOWN()
      return pageOf(rows.map(threadOf), limit)
    },

    async saveThread(thread) {
      await database.query(
        `insert into ${table} (owner_id, id, created_at, title, status, allowed_image_domains, metadata)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (owner_id, id) do update set title = excluded.title, status = excluded.status,
          allowed_image_domains = excluded.allowed_image_domains, metadata = excluded.metadata`,
        [
          owner,
          thread.id,
          thread.created_at,
          json(thread.title),
          json(thread.status),
          json(thread.allowed_image_domains),
          json(thread.metadata)
        ]
      )
    },

    async updateThread(threadId, changes) {
      if (!isStorableId(threadId)) return null
      const named = (['title', 'status', 'allowed_image_domains', 'metadata'] as const).filter(name => name in changes)
      if (named.length === 0) return await this.findThread(threadId)
      const { rows } = await database.query(
        `update ${table} set ${named.map((name, index) => `${name} = $${index + 3}`).join(', ')}
        where owner_id = $1 and id = $2 returning ${columns}`,
        [owner, threadId, ...named.map(name => json(changes[name]))]
      )
      return rows[0] ? threadOf(rows[0]) : null
    },

    async deleteThread(threadId) {
      if (!isStorableId(threadId)) return
      await database.query(`delete from ${table} where owner_id = $1 and id = $2`, [owner, threadId])
    }
  }
}

function json(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value)
}

function threadOf(row: Record<string, unknown>): ThreadMetadata {
  const parsed = (name: string) => (typeof row[name] === 'string' ? JSON.parse(row[name]) : undefined)
  const [title, domains] = [parsed('title'), parsed('allowed_image_domains')]
  return {
    id: String(row.id),
    created_at: String(row.created_at),
    ...(title === undefined ? {} : { title }),
    status: parsed('status'),
    ...(domains === undefined ? {} : { allowed_image_domains: domains }),
    metadata: parsed('metadata')
  }
}
