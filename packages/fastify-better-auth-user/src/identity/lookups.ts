import { channel } from 'node:diagnostics_channel'
import type { Queryable } from './queryable.ts'
import { couldHold, type Prepared } from './sql.ts'
import { timely } from './time-limit.ts'

export interface LookupOptions {
  /** Gives up on a query after this many milliseconds. */
  timeoutMs: number
  /** Most keys in one query; more become several, so that no request waits for a crowd. @default 100 */
  maxBatch?: number | undefined
  /** How long, in milliseconds, a query may wait for the answer to the one before, so that more go together. @default 2 */
  spacingMs?: number | undefined
}

/** Asks for single rows. */
export interface Lookups {
  readonly stats: LookupStats
  /** The first row of a statement, `null` when there is none. */
  first(statement: Prepared, values: readonly string[]): Promise<object | null>
}

export interface LookupStats {
  /** Queries sent. */
  queries: number
  /** Rows asked for with them; fewer than requests where several asked for the same. */
  keys: number
  /** Most rows one query asked for. */
  largestBatch: number
  /** Queries that failed. */
  failures: number
  /** Queries sent and not yet answered. */
  underWay: number
  /** Time between sending and answer, over all queries, in milliseconds. */
  totalMs: number
}

/** One query, as published on the diagnostics channel {@link LOOKUP_CHANNEL}. */
export interface Lookup {
  keys: number
  durationMs: number
  failed: boolean
}

/** Name of the diagnostics channel on which every {@link Lookup} is published. */
export const LOOKUP_CHANNEL = 'fastify-better-auth-user:lookup'

const published = channel(LOOKUP_CHANNEL)

interface Waiting {
  values: readonly string[]
  row: Promise<object | null>
  resolve(row: object | null): void
  reject(error: unknown): void
}

/**
 * Look-ups that many requests make in the same turn of the event loop become one query, and equal ones among them one
 * key. Nobody joins a query that has been sent: its answer may be older than the request. Under load queries keep a
 * little distance: many small ones at once cost the server, and us, more than fewer larger ones.
 */
export function lookups(database: Queryable, { timeoutMs, maxBatch = 100, spacingMs = 2 }: LookupOptions): Lookups {
  const inTime = timely(database, timeoutMs)
  const waiting = new Map<Prepared, Map<string, Waiting>>()
  let sentAt = 0
  let patience: NodeJS.Timeout | undefined
  const stats: LookupStats = { queries: 0, keys: 0, largestBatch: 0, failures: 0, underWay: 0, totalMs: 0 }

  return {
    stats,
    first(statement, values) {
      if (!values.every((value, index) => couldHold(statement.types[index], value))) return Promise.resolve(null)
      if (waiting.size === 0) setImmediate(sendInTime)
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

  function sendInTime(): void {
    const early = stats.underWay === 0 ? 0 : sentAt + spacingMs - performance.now()
    if (early > 0) patience ??= setTimeout(sendAll, early)
    else sendAll()
  }

  function sendAll(): void {
    clearTimeout(patience)
    patience = undefined
    const groups = [...waiting].map(([statement, group]) => ({ statement, all: [...group.values()] }))
    waiting.clear()
    // In turns, so that a crowd asking one thing does not fill the pool before the few who ask another.
    for (let turn = 0, left = true; left; turn++) {
      left = false
      for (const { statement, all } of groups) {
        const size = statement.batchText === null ? 1 : maxBatch
        const batch = all.slice(turn * size, (turn + 1) * size)
        if (batch.length > 0) void send(statement, batch)
        left ||= all.length > (turn + 1) * size
      }
    }
  }

  async function send(statement: Prepared, batch: readonly Waiting[]): Promise<void> {
    try {
      const [only] = batch
      if (batch.length === 1 && only !== undefined) {
        const { name, text } = statement
        only.resolve((await query(name, text, [...only.values], 1))[0] ?? null)
      } else {
        await sendTogether(statement, batch)
      }
    } catch (error) {
      // A value the database cannot read must not fail the requests beside it.
      if (batch.length > 1 && isDataException(error)) for (const one of batch) void send(statement, [one])
      else if (isUnwritable(error)) for (const one of batch) one.resolve(null)
      else for (const one of batch) one.reject(error)
    }
  }

  async function sendTogether({ name, batchText, types }: Prepared, batch: readonly Waiting[]): Promise<void> {
    const columns = types.map((_, index) => batch.map(({ values }) => values[index]))
    const rows = (await query(`${name}_n`, batchText ?? '', columns, batch.length)) as { ord: number }[]
    for (const row of rows) batch[row.ord]?.resolve(row)
    // The first answer counts; whoever has none by now has no row.
    for (const one of batch) one.resolve(null)
  }

  async function query(name: string, text: string, values: unknown[], keys: number): Promise<object[]> {
    const startedAt = performance.now()
    sentAt = startedAt
    stats.queries++
    stats.keys += keys
    stats.largestBatch = Math.max(stats.largestBatch, keys)
    stats.underWay++
    let failed = true
    try {
      const { rows } = await inTime.query({ name, text, values }).catch(error => {
        if (!isStalePlan(error)) throw error
        return inTime.query({ text, values })
      })
      failed = false
      return rows as object[]
    } finally {
      const durationMs = performance.now() - startedAt
      stats.underWay--
      if (stats.underWay === 0 && patience !== undefined) setImmediate(sendAll)
      stats.totalMs += durationMs
      if (failed) stats.failures++
      if (published.hasSubscribers) published.publish({ keys, durationMs, failed } satisfies Lookup)
    }
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

/** SQLSTATE `untranslatable_character`: the encoding of the database has none such, so no row does. */
function isUnwritable(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '22P05'
}

/**
 * SQLSTATE `feature_not_supported`: "cached plan must not change result type". A connection that knows the statement from
 * before a column's type was changed refuses it for good; without its name it is planned anew.
 */
function isStalePlan(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '0A000'
}
