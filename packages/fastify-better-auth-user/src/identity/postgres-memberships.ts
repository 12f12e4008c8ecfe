import type { Membership, MembershipStore } from './membership-store.ts'
import type { Queryable } from './queryable.ts'
import { columnsOf, couldHold, type Prepared, prepared, tableName } from './sql.ts'
import { discoverTable, type TablesOptions, type Wanted } from './tables.ts'

const WANTED: Wanted = {
  table: 'member',
  names: ['member', 'members'],
  required: ['userId', 'organizationId'],
  optional: ['role']
}

/** Memberships in the member table of Better Auth's organization plugin; looked for when first asked. */
export function postgresMembershipStore(
  database: Queryable,
  tables: TablesOptions = {},
  timeoutMs = 5000
): MembershipStore {
  let query: Promise<Prepared> | null = null

  return {
    async find(userId, organizationId) {
      query ??= discoverTable(database, WANTED, tables).then(table => {
        const m = columnsOf(table, 'm')
        return prepared(
          [m.type('userId'), m.type('organizationId')],
          `select ${m.text('role')} as role from ${tableName(table)} m
           where ${m.column('userId')} = $1 and ${m.column('organizationId')} = $2 limit 1`
        )
      })
      try {
        const { name, text, types } = await query
        const values = [userId, organizationId]
        if (!values.every((value, index) => couldHold(types[index], value))) return null
        const { rows } = await database.query({ name, text, values, query_timeout: timeoutMs })
        return (rows[0] as Membership | undefined) ?? null
      } catch (error) {
        query = null
        throw error
      }
    }
  }
}
