import { messageOf } from '../errors.ts'
import { discovered } from './discovered.ts'
import type { IdentityStore } from './identity-store.ts'
import { lookups } from './lookups.ts'
import type { PostgresIdentityStoreOptions } from './postgres.ts'
import type { Queryable } from './queryable.ts'
import { type IdentityRow, toIdentityRecord } from './row.ts'
import { NO_SESSION, userColumns, wantedUser } from './session-queries.ts'
import { columnsOf, prepared, tableName } from './sql.ts'
import { discoverTable } from './tables.ts'

/**
 * Users in Better Auth's Postgres table, without their sessions: for deployments whose sessions are elsewhere, where no
 * session table exists. Answers claims by subject and by e-mail, always without a session; by itself it signs nobody in.
 */
export function postgresUserStore(
  database: Queryable,
  { tables = {}, userFields = [], timeoutMs = 5000 }: Omit<PostgresIdentityStoreOptions, 'hashToken'> = {}
): IdentityStore {
  const rows = lookups(database, { timeoutMs })
  let queries = discovered(discover)

  return {
    find: async claims =>
      queries(async ({ bySubject, byEmail }) => {
        if (claims.by !== 'subject' && claims.by !== 'email') return null
        const row = await (claims.by === 'subject'
          ? rows.first(bySubject, [claims.subject])
          : rows.first(byEmail, [claims.email]))
        return row === null ? null : toIdentityRecord(row as IdentityRow, userFields)
      }),
    async check() {
      queries = discovered(discover)
      try {
        await queries(async () => null)
        return []
      } catch (error) {
        return [messageOf(error)]
      }
    }
  }

  async function discover() {
    const user = await discoverTable(database, wantedUser(userFields), tables)
    const u = columnsOf(user, 'u')
    const select = `select ${userColumns(user, userFields)}, ${NO_SESSION} from ${tableName(user)} u`
    return {
      bySubject: prepared([u.type('id')], `${select} where ${u.column('id')} = $1`),
      byEmail: prepared(['text'], `${select} where ${u.column('email')} = $1`)
    }
  }
}
