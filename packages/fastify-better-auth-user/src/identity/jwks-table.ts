import type { JsonWebKey } from 'node:crypto'
import type { Queryable } from './queryable.ts'
import { columnsOf, NOW, tableName } from './sql.ts'
import { discoverTable, MissingTable, type Table, type TablesOptions, type Wanted } from './tables.ts'
import { timely } from './time-limit.ts'

const WANTED: Wanted = {
  table: 'jwks',
  names: ['jwks', 'jwkss'],
  required: ['id', 'publicKey'],
  optional: ['alg', 'expiresAt']
}

export interface JwksTableOptions {
  tables?: TablesOptions | undefined
  /** How long keys past their `expiresAt` still verify, in seconds; Better Auth's `jwks.gracePeriod`. @default 2592000 */
  gracePeriod?: number | undefined
  /** @default 5000 */
  timeoutMs?: number | undefined
}

/**
 * Keys straight from Better Auth's `jwks` table: no HTTP, and no need for the other application to be up. Reads the
 * public columns only; the private key lies beside them.
 */
export function jwksFromTable(database: Queryable, options: JwksTableOptions = {}) {
  const { tables = {}, gracePeriod = 2_592_000, timeoutMs = 5000 } = options
  return async (): Promise<{ kid: string; jwk: JsonWebKey; alg: string | null }[]> => {
    const table = await jwksTable(database, tables)
    // Without the jwt plugin nobody signs with keys: such a token is forged, and no outage.
    if (table === null) return []
    const k = columnsOf(table, 'k')
    const alive = k.has('expiresAt')
      ? `where ${k.column('expiresAt')} is null or ${k.epoch('expiresAt')} + $1 > ${NOW}`
      : 'where $1::float8 >= 0'
    const { rows } = await timely(database, timeoutMs).query({
      text: `select ${k.text('id')} as kid, ${k.text('publicKey')} as jwk, ${k.text('alg')} as alg from ${tableName(table)} k ${alive}`,
      values: [gracePeriod]
    })
    return (rows as { kid: string; jwk: string; alg: string | null }[]).flatMap(({ kid, jwk, alg }) => {
      const parsed = parse(jwk)
      return parsed === null ? [] : [{ kid, jwk: parsed, alg }]
    })
  }
}

/** `null`: Better Auth runs without its jwt plugin here, or keeps its keys elsewhere. */
export async function jwksTable(database: Queryable, tables: TablesOptions): Promise<Table | null> {
  try {
    return await discoverTable(database, WANTED, tables)
  } catch (error) {
    if (error instanceof MissingTable) return null
    throw error
  }
}

function parse(text: string): JsonWebKey | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as JsonWebKey) : null
  } catch {
    return null
  }
}
