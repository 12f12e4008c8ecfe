import type { Queryable } from './queryable.ts'
import { couldHold, type Prepared } from './sql.ts'

export interface LookupOptions {
  /** Gives up on a query after this many milliseconds. */
  timeoutMs: number
  /** Most keys in one query; more become several, so that no request waits for a crowd. @default 100 */
  maxBatch?: number | undefined
}

/** Asks for single rows. */
export interface Lookups {
  /** The first row of a statement, `null` when there is none. */
  first(statement: Prepared, values: readonly string[]): Promise<object | null>
}

interface Waiting {
  values: readonly string[]
  row: Promise<object | null>
  resolve(row: object | null): void
  reject(error: unknown): void
}

/**
 * Look-ups that many requests make in the same turn of the event loop become one query, and equal ones among them one
 * key. Nobody joins a query that has been sent: its answer may be older than the request.
 */
export function lookups(database: Queryable, { timeoutMs, maxBatch = 100 }: LookupOptions): Lookups {
  const waiting = new Map<Prepared, Map<string, Waiting>>()

  return {
    first(statement, values) {
      if (!values.every((value, index) => couldHold(statement.types[index], value))) return Promise.resolve(null)
      if (waiting.size === 0) setImmediate(sendAll)
      let group = waiting.get(statement)
      if (group === undefined) {
        group = new Map()
        waiting.set(statement, group)
      }
      // No value contains NUL, so the key stands for one list of values only.
      const key = values.length === 1 ? String(values[0]) : values.join('\0')
      let one = group.get(key)
      if (one === undefined) {
        one = wait(values)
        group.set(key, one)
      }
      return one.row
    }
  }

  function sendAll(): void {
    const groups = [...waiting]
    waiting.clear()
    for (const [statement, group] of groups) {
      const all = [...group.values()]
      const size = statement.batchText === null ? 1 : maxBatch
      for (let start = 0; start < all.length; start += size) void send(statement, all.slice(start, start + size))
    }
  }

  async function send(statement: Prepared, batch: readonly Waiting[]): Promise<void> {
    try {
      const [only] = batch
      if (batch.length === 1 && only !== undefined) {
        const { name, text } = statement
        only.resolve((await query(name, text, [...only.values]))[0] ?? null)
      } else {
        await sendTogether(statement, batch)
      }
    } catch (error) {
      // A value the database cannot read must not fail the requests beside it.
      if (batch.length > 1 && isDataException(error)) for (const one of batch) void send(statement, [one])
      else for (const one of batch) one.reject(error)
    }
  }

  async function sendTogether({ name, batchText, types }: Prepared, batch: readonly Waiting[]): Promise<void> {
    const columns = types.map((_, index) => batch.map(({ values }) => values[index]))
    const rows = (await query(`${name}_n`, batchText ?? '', columns)) as { ord: number }[]
    for (const row of rows) batch[row.ord]?.resolve(row)
    // The first answer counts; whoever has none by now has no row.
    for (const one of batch) one.resolve(null)
  }

  async function query(name: string, text: string, values: unknown[]): Promise<object[]> {
    const { rows } = await database.query({ name, text, values, query_timeout: timeoutMs })
    return rows as object[]
  }
}

function wait(values: readonly string[]): Waiting {
  let settle: Pick<Waiting, 'resolve' | 'reject'> = { resolve() {}, reject() {} }
  const row = new Promise<object | null>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { values, row, ...settle }
}

/** SQLSTATE class 22: the value, not the server, is at fault. */
function isDataException(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && code.startsWith('22')
}
