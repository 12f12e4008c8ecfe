import { createHash } from 'node:crypto'
import type { Queryable } from './queryable.ts'
import { WANTED_SESSION, wantedUser } from './session-queries.ts'
import { discoverTable, type Table, type TablesOptions } from './tables.ts'

/** A table whose changes are told. */
export interface WatchedTable {
  table: Table
  /** Column that holds the id of the user. */
  userId: string
  /** Of the channel and of the function that tells, derived from schema and table: two Better Auths in one database are two. */
  name: string
}

/** Names in the catalog and on channels begin with it. */
export const OURS = 'fastify_better_auth_user_'

/**
 * The tables that make up an identity, in the order in which a deleted user's rows are locked.
 *
 * @param sessions `false`: they are kept elsewhere, and there is no session table.
 * @throws MissingTable
 */
export async function watchedTables(
  database: Queryable,
  { tables, sessions }: { tables: TablesOptions; sessions: boolean }
): Promise<WatchedTable[]> {
  const watched = [watch(await discoverTable(database, wantedUser([]), tables), 'id')]
  if (sessions) watched.push(watch(await discoverTable(database, WANTED_SESSION, tables), 'userId'))
  return watched
}

function watch(table: Table, field: string): WatchedTable {
  const digest = createHash('sha256')
    .update(JSON.stringify([table.schema, table.name]))
    .digest('hex')
  return { table, userId: table.columns.get(field)?.name ?? field, name: OURS + digest.slice(0, 16) }
}
