import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { Queryable } from './queryable.ts'
import { installSql, removeSql } from './revocation-sql.ts'
import { objectionTo, stateSql, stateValues, type TableState } from './revocation-state.ts'
import { type WatchedTable, watchedTables } from './revocation-tables.ts'
import { tableName } from './sql.ts'
import { quote, type TablesOptions } from './tables.ts'

export interface RevocationMigrationsOptions {
  /** `false`: only the user table is watched, as sessions are kept elsewhere. @default true */
  sessions?: boolean | undefined
  /** How long one attempt waits for a table, and lets others wait, in milliseconds. @default 1000 */
  lockTimeoutMs?: number | undefined
  /** How often it is tried when a table is in use. @default 10 */
  attempts?: number | undefined
}

/** How one table stands. */
export interface RevocationStatus {
  /** As SQL: quoted and qualified. */
  table: string
  installed: boolean
  /** Why its changes are not told, a sentence with its cure; `null` when they are. */
  problem: string | null
}

/** Installs and removes the triggers that tell of changes in Better Auth's tables. Nothing is stored, no table rewritten. */
export interface RevocationMigrations {
  /**
   * Installs what is missing or of another version, all of it or nothing. Safe on a live database and in several processes
   * at once; when nothing is missing, no table is locked.
   *
   * @returns the tables whose triggers were made now, as SQL.
   * @throws Error a sentence with its cure: the tables belong to another role, a transaction holds one for too long.
   */
  up(): Promise<string[]>
  /** Removes them, and lets every listener know. @returns the tables that had any. @throws as `up`. */
  down(): Promise<string[]>
  status(): Promise<RevocationStatus[]>
  /** The tables `up` would work on, as SQL. */
  pending(): Promise<string[]>
  /** The statements, for migrations that are kept as files. Each is to run as one transaction. */
  sql(): Promise<{ up: string; down: string }>
}

/** The advisory lock that keeps two processes from migrating at once: "bau" in ASCII. */
const LOCK = 0x626175

/**
 * @param database connects as the owner of Better Auth's tables. May lead through a pooler of any kind.
 * @param tables names of the tables, where they differ from what is found by itself.
 */
export function revocationMigrations(
  database: Queryable,
  tables: TablesOptions = {},
  { sessions = true, lockTimeoutMs = 1000, attempts = 10 }: RevocationMigrationsOptions = {}
): RevocationMigrations {
  const find = () => watchedTables(database, { tables, sessions })
  const install = (watched: readonly WatchedTable[]) => watched.map(installSql).join('\n')
  const remove = (watched: readonly WatchedTable[]) => watched.map(removeSql).join('\n')

  return {
    up: () => change(install, ({ problem }) => problem !== null),
    down: () => change(remove, ({ state }) => state.body !== null || state.triggers !== null),
    async status() {
      return (await inspect()).map(({ watched, problem }) => ({
        table: tableName(watched.table),
        installed: problem === null,
        problem
      }))
    },
    async pending() {
      return (await inspect()).filter(({ problem }) => problem !== null).map(({ watched }) => tableName(watched.table))
    },
    async sql() {
      const watched = await find()
      return { up: install(watched), down: remove(watched) }
    }
  }

  async function inspect() {
    const watched = await find()
    const { rows } = await database.query({
      text: `select ${stateSql(1)}::text as state`,
      values: stateValues(watched)
    })
    const states = JSON.parse((rows[0] as { state: string }).state) as TableState[]
    return watched.flatMap((one, index) => {
      const state = states[index]
      return state === undefined ? [] : [{ watched: one, state, problem: objectionTo(one, state) }]
    })
  }

  async function change(
    sql: (watched: readonly WatchedTable[]) => string,
    concerns: (found: Awaited<ReturnType<typeof inspect>>[number]) => boolean
  ): Promise<string[]> {
    const found = (await inspect()).filter(concerns)
    const watched = found.map(one => one.watched)
    if (watched.length === 0) return []
    // Several statements in one query without parameters are one transaction.
    const text = `select pg_catalog.pg_advisory_xact_lock(${LOCK}); set local lock_timeout = ${lockTimeoutMs};\n${sql(watched)}`
    for (let attempt = 1; ; attempt++) {
      try {
        await database.query({ text })
        return watched.map(one => tableName(one.table))
      } catch (error) {
        // 55P03: lock_not_available; 40P01: deadlock_detected. Waiting for long would make sign-ins wait behind us.
        const busy = ['55P03', '40P01'].includes(String((error as { code?: unknown }).code))
        if (!busy || attempt >= attempts) throw await explain(error, watched, busy)
        await sleep(lockTimeoutMs * (0.5 + Math.random()))
      }
    }
  }

  async function explain(error: unknown, watched: readonly WatchedTable[], busy: boolean): Promise<Error> {
    const names = watched.map(one => tableName(one.table)).join(' and ')
    const sentence = busy
      ? `${names} could not be locked in ${attempts} attempts, as ${await holder(watched)}: end that transaction, or run this again when it is over.`
      : (REASONS[String((error as { code?: unknown }).code)]?.(names, watched[0]) ??
        `The triggers on ${names} could not be changed (${messageOf(error)}).`)
    return new Error(sentence, { cause: error })
  }

  async function holder(watched: readonly WatchedTable[]): Promise<string> {
    const { rows } = await database.query({ text: HOLDER, values: stateValues(watched).slice(0, 2) })
    const { pid, seconds } = (rows[0] ?? {}) as { pid?: unknown; seconds?: unknown }
    if (pid === undefined) return 'transactions of others held them'
    return `the transaction of process ${pid}${seconds === null ? '' : `, open for ${seconds} s,`} holds one of them (pg_stat_activity tells whose it is)`
  }
}

const HOLDER = `
  select l.pid, floor(extract(epoch from now() - a.xact_start))::int as seconds
  from unnest($1::text[], $2::text[]) as w(schema, "table")
  join pg_catalog.pg_namespace n on n.nspname = w.schema
  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w."table"
  join pg_catalog.pg_locks l on l.relation = c.oid and l.granted
  join pg_catalog.pg_database d on d.oid = l.database and d.datname = current_database()
  left join pg_catalog.pg_stat_activity a on a.pid = l.pid
  where l.pid <> pg_backend_pid() order by a.xact_start limit 1`

/** By SQLSTATE. */
const REASONS: Record<string, (names: string, first: WatchedTable | undefined) => string> = {
  '42501': (names, first) =>
    `The connecting role may not make triggers on ${names}: run this as the owner of the tables, who also needs CREATE on schema ${quote(first?.table.schema ?? 'public')}.`,
  '42809': names =>
    `${names} cannot have such triggers, as it is no ordinary table: name the tables behind it in \`tables\`.`,
  '42704': () => 'The language plpgsql is missing: `create extension plpgsql` brings it back.',
  '25006': () => 'This database is read-only, as a hot standby is: connect to the primary.',
  '42601': () => 'This Postgres does not know `create or replace trigger`: version 14 or later is needed.'
}
