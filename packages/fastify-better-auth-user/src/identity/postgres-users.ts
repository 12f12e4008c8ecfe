import type { Claims } from '../types.ts'
import type { IdentityStore } from './identity-store.ts'
import type { PostgresIdentityStoreOptions } from './postgres.ts'
import type { Queryable } from './queryable.ts'
import { type IdentityRow, toIdentityRecord } from './row.ts'
import { userColumns, wantedUser } from './session-queries.ts'
import { columnsOf, couldHold, type Prepared, prepared, tableName } from './sql.ts'
import { discoverTable } from './tables.ts'

interface UserQueries {
  bySubject: Prepared
  byEmail: Prepared
}

/**
 * Users in Better Auth's Postgres table, without their sessions: for deployments whose sessions are elsewhere, where no
 * session table exists. Answers claims by subject and by e-mail, always without a session; by itself it signs nobody in.
 */
export function postgresUserStore(
  database: Queryable,
  { tables = {}, userFields = [], timeoutMs = 5000 }: Omit<PostgresIdentityStoreOptions, 'hashToken'> = {}
): IdentityStore {
  let queries: Promise<UserQueries> | null = null

  return {
    async find(claims) {
      queries ??= discover()
      try {
        const lookup = choose(await queries, claims)
        if (lookup === null) return null
        const [{ name, text, types }, value] = lookup
        if (!couldHold(types[0], value)) return null
        const { rows } = await database.query({ name, text, values: [value], query_timeout: timeoutMs })
        const row = rows[0] as IdentityRow | undefined
        return row === undefined ? null : toIdentityRecord(row, userFields)
      } catch (error) {
        // The table may have changed, or was not there yet: look again next time.
        queries = null
        throw error
      }
    },
    async check() {
      queries = discover()
      try {
        await queries
        return []
      } catch (error) {
        queries = null
        return [error instanceof Error ? error.message : String(error)]
      }
    }
  }

  async function discover(): Promise<UserQueries> {
    const user = await discoverTable(database, wantedUser(userFields), tables)
    const u = columnsOf(user, 'u')
    const select = `select ${userColumns(user, userFields)}, null as session_id, 0 as session_count from ${tableName(user)} u`
    return {
      bySubject: prepared([u.type('id')], `${select} where ${u.column('id')} = $1`),
      byEmail: prepared(['text'], `${select} where ${u.column('email')} = $1 limit 1`)
    }
  }
}

function choose(queries: UserQueries, claims: Claims): [Prepared, string] | null {
  if (claims.by === 'subject') return [queries.bySubject, claims.subject]
  return claims.by === 'email' ? [queries.byEmail, claims.email] : null
}
