import type { Claims } from '../types.ts'
import type { IdentityRecord, IdentityStore } from './identity-store.ts'
import type { Queryable } from './queryable.ts'
import { type IdentityRow, toIdentityRecord } from './row.ts'
import { type SessionQueries, sessionQueries, WANTED_SESSION, wantedUser } from './session-queries.ts'
import { couldHold, type Prepared } from './sql.ts'
import { discoverTable, type TablesOptions } from './tables.ts'

export interface PostgresIdentityStoreOptions {
  /** Names of Better Auth's tables and columns, where they differ from what is found by itself. */
  tables?: TablesOptions | undefined
  /** Further fields of the user table to put on `request.user`, as Better Auth's configuration calls them. */
  userFields?: readonly string[] | undefined
  /** For deployments that store a digest instead of the session token. @default the token as it is */
  hashToken?: ((token: string) => string) | undefined
  /** Gives up on a lookup after this many milliseconds. @default 5000 */
  timeoutMs?: number | undefined
}

/**
 * Users and sessions in Better Auth's own Postgres tables: one query a lookup, prepared on the server, read-only.
 * Expiry and bans are judged by the database's clock.
 */
export function postgresIdentityStore(database: Queryable, options: PostgresIdentityStoreOptions = {}): IdentityStore {
  const { tables = {}, userFields = [], hashToken = (token: string) => token, timeoutMs = 5000 } = options
  let queries: Promise<SessionQueries> | null = null

  return {
    async find(claims) {
      queries ??= discover()
      try {
        const lookup = choose(await queries, claims)
        return lookup === null ? null : await run(...lookup)
      } catch (error) {
        // The tables may have changed, or were not there yet: look again next time.
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
        return [problem(error)]
      }
    }
  }

  async function discover(): Promise<SessionQueries> {
    const user = await discoverTable(database, wantedUser(userFields), tables)
    const session = await discoverTable(database, WANTED_SESSION, tables)
    return sessionQueries(user, session, userFields)
  }

  function choose(queries: SessionQueries, claims: Claims): [Prepared, ...string[]] | null {
    if (claims.by === 'session-token') return [queries.byToken, hashToken(claims.sessionToken)]
    if (claims.by === 'email') return [queries.byEmail, claims.email]
    if (claims.by !== 'subject') return null
    if (claims.sessionId !== null) return [queries.bySession, claims.subject, claims.sessionId]
    return [queries.bySubject, claims.subject]
  }

  async function run({ name, text, types }: Prepared, ...values: string[]): Promise<IdentityRecord | null> {
    if (!values.every((value, index) => couldHold(types[index], value))) return null
    const { rows } = await database.query({ name, text, values, query_timeout: timeoutMs })
    const row = rows[0] as IdentityRow | undefined
    return row === undefined ? null : toIdentityRecord(row, userFields)
  }
}

function problem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  if (!message.includes("Better Auth's session table")) return message
  return `${message} If Better Auth keeps its sessions in secondary storage only, pass a secondaryStorageIdentityStore.`
}
