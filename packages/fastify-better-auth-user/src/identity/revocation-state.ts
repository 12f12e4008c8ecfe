import { BODY_DIGEST, bodyDigest, TRIGGERS } from './revocation-sql.ts'
import { OURS, type WatchedTable } from './revocation-tables.ts'
import { tableName } from './sql.ts'

/** What the catalog says about one watched table. */
export interface TableState {
  /** `null`: there is none. */
  table: string | null
  kind: string | null
  body: string | null
  /** By name: how it is enabled ('O', 'A', 'R' or 'D'), whether it calls our function. */
  triggers: Record<string, [enabled: string, ours: boolean]> | null
  /** Of every row of the catalog above, so that what was changed and changed back is seen. */
  versions: string | null
}

/**
 * SQL that gives a JSON array of {@link TableState}, in the order of the tables. Reads nothing but the catalog, by name
 * and not through the search path, which asks for no right to the tables or their schema.
 *
 * @param first number of its first of four parameters.
 */
export function stateSql(first: number): string {
  const [schemas, tables, functions] = [0, 1, 2].map(offset => `$${first + offset}::text[]`)
  return `(select json_agg(json_build_object(
      'table', c.oid::text, 'kind', c.relkind, 'body', ${BODY_DIGEST}, 'triggers', t.found,
      'versions', concat_ws(' ', c.oid, p.oid, p.xmin, t.versions)
    ) order by w.ord)
    from unnest(${schemas}, ${tables}, ${functions}) with ordinality as w(schema, "table", function, ord)
    left join pg_catalog.pg_namespace n on n.nspname = w.schema
    left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w."table"
    left join pg_catalog.pg_proc p on p.pronamespace = n.oid and p.proname = w.function and p.pronargs = 0
    left join lateral (
      select json_object_agg(g.tgname, json_build_array(g.tgenabled, g.tgfoid = p.oid)) as found,
        string_agg(g.oid || ':' || g.xmin, ' ' order by g.oid) as versions
      from pg_catalog.pg_trigger g where g.tgrelid = c.oid and starts_with(g.tgname::text, '${OURS}')
    ) t on true)`
}

export function stateValues(watched: readonly WatchedTable[]): string[][] {
  return [watched.map(one => one.table.schema), watched.map(one => one.table.name), watched.map(one => one.name)]
}

export const INSTALL =
  'Run `npx fastify-better-auth-user revocations up` on this database, or `await app.betterAuthUser.migrations.up()`.'

/** Why changes of this table are not told, a sentence with its cure; `null` when they are. */
export function objectionTo(watched: WatchedTable, state: TableState | undefined): string | null {
  const name = tableName(watched.table)
  if (state === undefined || state.table === null) {
    return `Table ${name} is gone: run Better Auth's migrations on this database, or name its tables in \`tables\`.`
  }
  const triggers = TRIGGERS.map(({ name }) => state.triggers?.[name])
  if (state.body === null || triggers.every(found => found === undefined)) {
    return `Nothing tells of changes in ${name}, as its revocation triggers are missing. ${INSTALL}`
  }
  if (triggers.some((found, index) => found !== undefined && found[0] !== TRIGGERS[index]?.letter)) {
    return `Nothing tells of some changes in ${name}, as a revocation trigger is disabled, or enabled in another way. ${INSTALL}`
  }
  if (state.body !== bodyDigest(watched) || triggers.some(found => found?.[1] !== true)) {
    return `The revocation triggers of ${name} are not those of this version. ${INSTALL}`
  }
  return null
}
