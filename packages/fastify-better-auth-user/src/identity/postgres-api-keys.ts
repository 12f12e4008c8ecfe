import { apiKeyQueries, chooseApiKeyQuery, WANTED_API_KEY } from './api-key-query.ts'
import { discovered } from './discovered.ts'
import type { IdentityStore } from './identity-store.ts'
import { lookups } from './lookups.ts'
import type { PostgresIdentityStoreOptions } from './postgres.ts'
import type { Queryable } from './queryable.ts'
import { type IdentityRow, toIdentityRecord } from './row.ts'
import { wantedUser } from './session-queries.ts'
import { discoverTable } from './tables.ts'

/**
 * API keys in Better Auth's Postgres table and their users, nothing else: to go behind `secondaryStorageIdentityStore` in
 * a `layeredIdentityStore`, where no session table exists. `postgresIdentityStore` knows them by itself.
 *
 * @throws Error from `find` without the table, or where organizations' keys cannot be told from users'; it says the cure.
 */
export function postgresApiKeyStore(
  database: Queryable,
  { tables = {}, userFields = [], timeoutMs = 5000 }: Omit<PostgresIdentityStoreOptions, 'hashToken'> = {}
): IdentityStore {
  const rows = lookups(database, { timeoutMs })
  const queries = discovered(async () => {
    const user = await discoverTable(database, wantedUser(userFields), tables)
    return apiKeyQueries(user, await discoverTable(database, WANTED_API_KEY, tables), userFields)
  })
  return {
    async find(claims) {
      if (claims.by !== 'api-key') return null
      return queries(async found => {
        const [statement, ...values] = chooseApiKeyQuery(found, claims)
        const row = await rows.first(statement, values)
        return row === null ? null : toIdentityRecord(row as IdentityRow, userFields)
      })
    }
  }
}
