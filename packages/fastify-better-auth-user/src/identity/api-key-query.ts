import type { Claims } from '../types.ts'
import { NO_SESSION, userColumns } from './session-queries.ts'
import { columnsOf, equals, isInteger, NOW, type Prepared, prepared, tableName } from './sql.ts'
import type { Table, Wanted } from './tables.ts'

export const WANTED_API_KEY: Wanted = {
  table: 'apikey',
  names: ['apikey', 'apikeys', 'api_key', 'api_keys', 'apiKey', 'apiKeys'],
  required: ['key', 'enabled', 'expiresAt', 'remaining'],
  optional: ['referenceId', 'userId', 'configId', 'refillInterval', 'refillAmount', 'lastRefillAt', 'createdAt']
}

export interface ApiKeyQueries {
  any: Prepared
  /** Only keys of the configurations in $2, a JSON array. */
  ofConfig: Prepared
  /** Why `any` must not be asked here, or `null`. */
  needsConfig: string | null
}

/**
 * Statements from the digest of an API key to its user. A key counts while it is enabled, not expired and not used up;
 * being used here changes none of that. A key of an organization joins no user.
 */
export function apiKeyQueries(user: Table, apiKey: Table, extra: readonly string[]): ApiKeyQueries {
  const u = columnsOf(user, 'u')
  const a = columnsOf(apiKey, 'a')
  // Before Better Auth 1.5 keys belonged to users only.
  const owner = a.has('referenceId') ? 'referenceId' : 'userId'
  if (!a.has(owner)) {
    throw new Error(`Better Auth's apikey table ${tableName(apiKey)} has no column for referenceId or userId.`)
  }
  const query = (types: readonly string[], condition: string) =>
    prepared(
      [a.type('key'), ...types],
      `select ${userColumns(user, extra)}, ${NO_SESSION}
       from (select ${a.column(owner)} as owner from ${tableName(apiKey)} a
             where ${a.column('key')} = $1 and ${a.column('enabled')} is not false
               and (${a.column('expiresAt')} is null or ${a.notPast('expiresAt')})
               and not coalesce(${usedUp(apiKey)}, false) ${condition} limit 1) found
       join ${tableName(user)} u on ${equals(u.column('id'), u.type('id'), 'found.owner', a.type(owner))}`
    )
  return {
    any: query([], ''),
    ofConfig: a.has('configId')
      ? query(
          ['text'],
          `and coalesce(nullif(${a.column('configId')}, ''), 'default') in (select jsonb_array_elements_text($2::jsonb))`
        )
      : query(['text'], `and $2::jsonb ? 'default'`),
    needsConfig:
      owner === 'referenceId' && isInteger(u.type('id'))
        ? 'User ids are serial numbers here, so an API key of organization 7 would pass for one of user 7: name the ' +
          "configurations whose keys belong to users in `apiKey.configId` ('default' is the name of the only one)."
        : null
  }
}

export function chooseApiKeyQuery(
  queries: ApiKeyQueries,
  { keyHash, configIds }: Extract<Claims, { by: 'api-key' }>
): [Prepared, ...string[]] {
  if (configIds !== undefined) return [queries.ofConfig, keyHash, JSON.stringify(configIds)]
  if (queries.needsConfig !== null) throw new Error(queries.needsConfig)
  return [queries.any, keyHash]
}

/** Nothing remains and no refill is due, as Better Auth reckons it. NULL where no count is kept. */
function usedUp(apiKey: Table): string {
  const a = columnsOf(apiKey, 'a')
  const exhausted = `${a.column('remaining')} <= 0`
  if (!a.has('refillInterval') || !a.has('refillAmount')) return `(${exhausted})`
  const since = `coalesce(${a.epoch('lastRefillAt')}, ${a.epoch('createdAt')})`
  return (
    `(${exhausted} and not coalesce(${a.column('refillInterval')} > 0 and ${a.column('refillAmount')} > 0 ` +
    `and (${NOW} - ${since}) * 1000 > ${a.column('refillInterval')}, false))`
  )
}
