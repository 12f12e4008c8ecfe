import { despiteContention } from './despite-contention.ts'
import { inTransaction } from './in-transaction.ts'
import { DEFAULT_SCHEMA, quoteIdentifier } from './migrate.ts'
import { postgresAttachments } from './postgres-attachments.ts'
import { postgresItems } from './postgres-items.ts'
import { postgresThreads } from './postgres-threads.ts'
import type { Database, Queryable } from './queryable.ts'
import { checkedOwner, type OwnedThreads, type ThreadStore } from './thread-store.ts'

/**
 * Keeps threads in Postgres. Migrate first: `await migrateChatkit(database)`.
 *
 * @param database `pg.Pool`, or `app.pg` of @fastify/postgres.
 * @param options.schema where the tables are. @default "chatkit"
 */
export function postgresThreadStore(database: Database, options: { schema?: string } = {}): ThreadStore {
  const schema = quoteIdentifier(options.schema ?? DEFAULT_SCHEMA)
  const patient: Queryable = { query: (text, values) => despiteContention(() => database.query(text, values)) }
  return {
    forOwner(owner) {
      const owned = ownedThreads(patient, schema, checkedOwner(owner), false)
      return {
        ...owned,
        transaction: work =>
          despiteContention(() => inTransaction(database, client => work(ownedThreads(client, schema, owner, true))))
      }
    },
    async listUnusedAttachments(before, limit) {
      const { rows } = await database.query(
        `select owner_id, data::text as data from ${schema}.attachment a
        where created_at < $1 and not exists (
          select from ${schema}.thread t where t.owner_id = a.owner_id and t.id = a.thread_id
        ) order by created_at limit $2`,
        [before.toISOString(), limit]
      )
      return rows.map(row => ({ owner: String(row.owner_id), attachment: JSON.parse(String(row.data)) }))
    }
  }
}

/** @param locking whether what is found is kept from others until the transaction ends. */
function ownedThreads(database: Queryable, schema: string, owner: string, locking: boolean): OwnedThreads {
  return {
    ...postgresThreads(database, schema, owner, locking),
    ...postgresItems(database, schema, owner, locking),
    ...postgresAttachments(database, schema, owner, locking),
    transaction: () => Promise.reject(new TypeError('A transaction cannot be started within another'))
  }
}
