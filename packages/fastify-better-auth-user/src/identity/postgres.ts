import { messageOf } from '../errors.ts'
import type { Claims, Grant } from '../types.ts'
import { discovered } from './discovered.ts'
import type { IdentityRecord, IdentityStore } from './identity-store.ts'
import { type LookupStats, lookups } from './lookups.ts'
import {
  chooseOAuthQuery,
  grantOf,
  type OAuthRow,
  oauthQueries,
  WANTED_ACCESS_TOKEN,
  WANTED_CLIENT
} from './oauth-queries.ts'
import { postgresApiKeyStore } from './postgres-api-keys.ts'
import type { Queryable } from './queryable.ts'
import { type IdentityRow, toIdentityRecord } from './row.ts'
import { type SessionQueries, sessionQueries, WANTED_SESSION, wantedUser } from './session-queries.ts'
import { couldHold, type Prepared } from './sql.ts'
import { discoverTable, type Table, type TablesOptions, type Wanted } from './tables.ts'

export interface PostgresIdentityStoreOptions {
  /** Names of Better Auth's tables and columns, where they differ from what is found by itself. */
  tables?: TablesOptions | undefined
  /** Further fields of the user table to put on `request.user`, as Better Auth's configuration calls them. */
  userFields?: readonly string[] | undefined
  /** For deployments that store a digest instead of the session token. @default the token as it is */
  hashToken?: ((token: string) => string) | undefined
  /** Say how long answers hold, for cached mode and a `cachedIdentityStore` around this one. @default false */
  tellValidity?: boolean | undefined
  /** Gives up on a lookup after this many milliseconds. @default 5000 */
  timeoutMs?: number | undefined
}

export interface PostgresIdentityStore extends IdentityStore {
  /** Of look-ups of sessions, users and OAuth tokens since the store was made. */
  readonly stats: LookupStats
}

/**
 * Users and sessions in Better Auth's own Postgres tables: look-ups of one turn of the event loop are one query,
 * prepared on the server, read-only.
 * Expiry and bans are judged by the database's clock. The tables of API keys and OAuth tokens are looked for
 * when the first of those is asked about.
 */
export function postgresIdentityStore(
  database: Queryable,
  options: PostgresIdentityStoreOptions = {}
): PostgresIdentityStore {
  const { tables = {}, userFields = [], hashToken = (token: string) => token } = options
  const { tellValidity = false, timeoutMs = 5000 } = options
  const rows = lookups(database, { timeoutMs })
  const users = () => table(wantedUser(userFields))
  const discoverSessions = async () =>
    sessionQueries(await users(), await table(WANTED_SESSION), userFields, tellValidity)
  let sessions = discovered(discoverSessions)
  const apiKeys = postgresApiKeyStore(database, options)
  const oauth = discovered(async () =>
    oauthQueries(
      {
        user: await users(),
        session: await table(WANTED_SESSION),
        accessToken: await table(WANTED_ACCESS_TOKEN),
        client: await table(WANTED_CLIENT)
      },
      userFields
    )
  )

  return {
    get stats() {
      return { ...rows.stats }
    },
    async find(claims) {
      switch (claims.by) {
        case 'api-key':
          return apiKeys.find(claims)
        case 'oauth-token':
          return oauth(async queries => {
            const row = (await first(...chooseOAuthQuery(queries, claims))) as OAuthRow | null
            const grant = row === null ? null : grantOf(row, claims.audience ?? [])
            return grant === null ? null : toRecord(row, grant)
          })
        case 'oauth-grant':
          return oauth(async queries => toRecord(await first(...chooseOAuthQuery(queries, claims)), claims.grant))
        default:
          return sessions(queries => findSession(queries, claims))
      }
    },
    async check() {
      sessions = discovered(discoverSessions)
      try {
        await sessions(async () => null)
        return []
      } catch (error) {
        return [problem(error)]
      }
    }
  }

  function table(wanted: Wanted): Promise<Table> {
    return discoverTable(database, wanted, tables)
  }

  async function findSession(queries: SessionQueries, claims: SessionClaims): Promise<IdentityRecord | null> {
    if (
      claims.by !== 'subject' ||
      claims.sessionId === null ||
      couldHold(queries.bySession.types[1], claims.sessionId)
    ) {
      return toRecord(await first(...choose(queries, claims)))
    }
    // No session can have such an id; the user is there all the same.
    const record = toRecord(await first(queries.bySubject, claims.subject))
    return record && { ...record, session: null, sessionCount: 0 }
  }

  function choose(queries: SessionQueries, claims: SessionClaims): [Prepared, ...string[]] {
    if (claims.by === 'session-token') return [queries.byToken, hashToken(claims.sessionToken)]
    if (claims.by === 'email') return [queries.byEmail, claims.email]
    if (claims.sessionId !== null) return [queries.bySession, claims.subject, claims.sessionId]
    return [queries.bySubject, claims.subject]
  }

  async function first(statement: Prepared, ...values: string[]): Promise<IdentityRow | null> {
    return (await rows.first(statement, values)) as IdentityRow | null
  }

  function toRecord(row: IdentityRow | null, grant: Grant | null = null): IdentityRecord | null {
    return row === null ? null : { ...toIdentityRecord(row, userFields), grant }
  }
}

type SessionClaims = Extract<Claims, { by: 'session-token' | 'subject' | 'email' }>

function problem(error: unknown): string {
  const message = messageOf(error)
  if (!message.includes("Better Auth's session table")) return message
  return `${message} If Better Auth keeps its sessions in secondary storage only, pass a secondaryStorageIdentityStore.`
}
