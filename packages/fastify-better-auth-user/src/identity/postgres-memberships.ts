import { discovered } from './discovered.ts'
import { lookups } from './lookups.ts'
import type { Membership, MembershipStore } from './membership-store.ts'
import type { Queryable } from './queryable.ts'
import { columnsOf, prepared, tableName } from './sql.ts'
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
  const rows = lookups(database, { timeoutMs })
  const query = discovered(async () => {
    const table = await discoverTable(database, WANTED, tables)
    const m = columnsOf(table, 'm')
    return prepared(
      [m.type('userId'), m.type('organizationId')],
      `select ${m.text('role')} as role from ${tableName(table)} m
       where ${m.column('userId')} = $1 and ${m.column('organizationId')} = $2`
    )
  })
  return {
    find: async (userId, organizationId) =>
      query(async statement => (await rows.first(statement, [userId, organizationId])) as Membership | null)
  }
}
