import type { Claims, Grant } from '../types.ts'
import type { IdentityRow } from './row.ts'
import { SESSION_ALIASES, sessionColumns, userColumns } from './session-queries.ts'
import { columnsOf, equals, type Prepared, prepared, tableName } from './sql.ts'
import type { Table, Wanted } from './tables.ts'

export const WANTED_ACCESS_TOKEN: Wanted = {
  table: 'oauthAccessToken',
  names: ['oauthAccessToken', 'oauth_access_token', 'oauthAccessTokens', 'oauth_access_tokens', 'oauthaccesstoken'],
  required: ['token', 'clientId', 'sessionId', 'userId', 'scopes', 'expiresAt'],
  optional: ['revoked', 'resources', 'confirmation']
}

export const WANTED_CLIENT: Wanted = {
  table: 'oauthClient',
  names: ['oauthClient', 'oauth_client', 'oauthClients', 'oauth_clients', 'oauthclient'],
  required: ['clientId', 'disabled'],
  optional: []
}

export interface OAuthTables {
  user: Table
  session: Table
  accessToken: Table
  client: Table
}

/** Statements for OAuth access tokens. A token without a user (`client_credentials`) joins none. */
export interface OAuthQueries {
  /** By the digest of an opaque token. */
  byToken: Prepared
  /** By user, client and session of a token that names them itself. */
  bySession: Prepared
  /** By user and client of a token that names no session. */
  bySubject: Prepared
}

/** What `byToken` answers besides the identity. */
export type OAuthRow = IdentityRow & { client_id: string; scopes: unknown; resources: unknown }

export function oauthQueries(
  { user, session, accessToken, client }: OAuthTables,
  extra: readonly string[]
): OAuthQueries {
  const u = columnsOf(user, 'u')
  const s = columnsOf(session, 's')
  const t = columnsOf(accessToken, 't')
  const c = columnsOf(client, 'c')
  const from = `from ${tableName(user)} u`
  const enabledClient = (id: string) =>
    `join ${tableName(client)} c on ${c.column('clientId')} = ${id} and ${c.column('disabled')} is not true`
  const liveSession = (condition: string) => `lateral (
      select ${sessionColumns(session)}, 1 as session_count from ${tableName(session)} s
      where ${condition} and ${s.column('userId')} = ${u.column('id')} and ${s.notPast('expiresAt')}
    ) s on true`
  const columns = `${userColumns(user, extra)}, ${SESSION_ALIASES}`
  const json = (field: string) => (t.has(field) ? `to_jsonb(${t.column(field)})` : 'null::jsonb')

  return {
    byToken: prepared(
      [t.type('token')],
      `select ${columns}, found.client_id, found.scopes, found.resources
       from (select ${t.column('userId')} as owner, ${t.column('sessionId')} as session_id,
                    ${t.column('clientId')} as client_id, ${json('scopes')} as scopes, ${json('resources')} as resources
             from ${tableName(accessToken)} t
             where ${t.column('token')} = $1 and ${t.notPast('expiresAt')}
               and ${t.has('revoked') ? `${t.column('revoked')} is null` : 'true'}
               and coalesce(${json('confirmation')}, 'null') = 'null' limit 1) found
       ${enabledClient('found.client_id')}
       join ${tableName(user)} u on ${equals(u.column('id'), u.type('id'), 'found.owner', t.type('userId'))}
       left join ${liveSession(equals(s.column('id'), s.type('id'), 'found.session_id', t.type('sessionId')))}
       where found.session_id is null or s.session_id is not null`
    ),
    bySession: prepared(
      [u.type('id'), c.type('clientId'), s.type('id')],
      `select ${columns} ${from} ${enabledClient('$2')} join ${liveSession(`${s.column('id')} = $3`)} where ${u.column('id')} = $1`
    ),
    bySubject: prepared(
      [u.type('id'), c.type('clientId')],
      `select ${userColumns(user, extra)}, null as session_id, 0 as session_count ${from} ${enabledClient('$2')} where ${u.column('id')} = $1`
    )
  }
}

export function chooseOAuthQuery(
  queries: OAuthQueries,
  claims: Extract<Claims, { by: 'oauth-token' | 'oauth-grant' }>
): [Prepared, ...string[]] {
  if (claims.by === 'oauth-token') return [queries.byToken, claims.tokenHash]
  const { subject, sessionId, grant } = claims
  return sessionId === null
    ? [queries.bySubject, subject, grant.clientId]
    : [queries.bySession, subject, grant.clientId, sessionId]
}

/**
 * What a token's row allows, or `null` when it was issued for other resources than ours (RFC 8707 §2).
 *
 * @param audience our names; a token issued for particular resources must be for one of them.
 */
export function grantOf({ client_id, scopes, resources }: OAuthRow, audience: readonly string[]): Grant | null {
  const wanted = resources === null ? [] : textList(resources)
  const allowed = textList(scopes)
  // What cannot be read restricts more than nothing would.
  if (wanted === null || allowed === null) return null
  if (wanted.length > 0 && !wanted.some(one => audience.includes(one))) return null
  return { clientId: client_id, scopes: allowed }
}

/** A list of texts from `jsonb`, an array column, or JSON in a text column. */
function textList(value: unknown): readonly string[] | null {
  const list = typeof value === 'string' ? parse(value) : value
  return Array.isArray(list) && list.every(one => typeof one === 'string') ? list : null
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
