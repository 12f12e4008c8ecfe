import { breakable } from './breakable.ts'
import { sentenceOf, Told } from './connection-errors.ts'
import { listening, type Teller } from './listening-attempt.ts'
import { connectTo, discard, type ListeningClient, listeningConnection } from './listening-connection.ts'
import type { Queryable } from './queryable.ts'
import { watchedTables } from './revocation-tables.ts'
import type { RevocationChannel, RevocationListener } from './revocations.ts'
import type { TablesOptions } from './tables.ts'

export interface PostgresRevocationsOptions {
  /** Where identities are looked up: the primary, not a standby. Its tables are watched. */
  database: Queryable
  /**
   * The listening connection: a connection string, or a function that gives a connected client of its own. Needed where
   * `database` goes through a pooler in transaction mode. @default one client of `database`, when that is a pool
   */
  connect?: string | (() => Promise<ListeningClient>) | undefined
  /** Names of Better Auth's tables and columns, where they differ from what is found by itself. */
  tables?: TablesOptions | undefined
  /** `false`: only the user table is watched, as sessions are kept elsewhere. @default true */
  sessions?: boolean | undefined
  /** How often the connection is proved alive, in milliseconds, 1000 or more. @default 1000 */
  heartbeatMs?: number | undefined
  /** How long a proof holds, in milliseconds: the longest that a change can go unheard. @default twice `heartbeatMs` */
  leaseMs?: number | undefined
  /** Gives up on an attempt to connect after so many milliseconds. @default 5000 */
  timeoutMs?: number | undefined
}

const LONGEST_PAUSE_MS = 10_000
/** The queue is shared by all databases of the server; when it is full, commits that notify fail. */
const QUEUE_ALARM = 0.5

/**
 * Changes in Better Auth's tables, told by triggers (`revocationMigrations`) through NOTIFY to one listening connection.
 *
 * Each heartbeat notifies a channel of its own over that connection and looks at the triggers in the same statement.
 * Notifications come in the order of their commits, so what was committed before a heartbeat was sent has been told when
 * it is heard.
 *
 * @throws TypeError for options that cannot work.
 */
export function postgresRevocations(options: PostgresRevocationsOptions): RevocationChannel {
  const { database, tables = {}, sessions = true, heartbeatMs = 1000, timeoutMs = 5000 } = options
  const leaseMs = options.leaseMs ?? 2 * heartbeatMs
  if (!(heartbeatMs >= 1000)) throw new TypeError('heartbeatMs must be 1000 or more')
  if (!(leaseMs > heartbeatMs)) throw new TypeError('leaseMs must be longer than heartbeatMs')
  const clients = oneAtATime(connectOf(options, timeoutMs))

  let current: { stop(): Promise<void> } | null = null
  let problem: string | null = 'The revocation channel is not open: call `open` first.'
  let queueUsage = 0

  return {
    async open(listener) {
      if (current !== null) throw new Error('The revocation channel is open already')
      problem = 'The revocation channel has not connected yet.'
      const run = start(listener)
      current = run
      await run.firstAttempt
    },
    async close() {
      const closing = current
      current = null
      problem = 'The revocation channel is closed.'
      await closing?.stop()
    },
    async check() {
      if (problem !== null) return [problem]
      if (queueUsage <= QUEUE_ALARM) return []
      return [
        `Postgres's queue of notifications is ${Math.round(queueUsage * 100)} % full, and when it is full commits fail: ` +
          'end the transaction that has been open for long in a session that listens (pg_stat_activity).'
      ]
    }
  }

  function start(listener: RevocationListener) {
    const stopping = new AbortController()
    // While somebody waits for the first attempt, the process goes on.
    const alive = setInterval(() => {}, 1000)
    let attempted = () => {}
    const firstAttempt = new Promise<void>(resolve => {
      attempted = () => {
        clearInterval(alive)
        resolve()
      }
    })
    const running = run(listener, stopping.signal, attempted)
    return {
      firstAttempt,
      async stop() {
        stopping.abort()
        await running
      }
    }
  }

  async function run(listener: RevocationListener, stopping: AbortSignal, attempted: () => void): Promise<void> {
    let failures = 0
    const tell: Teller = {
      changed: change => listener.changed(change),
      queue: usage => {
        queueUsage = usage
      },
      trusted(until) {
        failures = 0
        problem = null
        listener.trusted(until)
        attempted()
      },
      lost(reason) {
        if (reason !== problem) {
          problem = reason
          listener.lost(reason)
        }
        attempted()
      }
    }
    while (!stopping.aborted) {
      let retryMs = Math.min(LONGEST_PAUSE_MS, 100 * 2 ** failures++)
      try {
        await attempt(tell, stopping)
      } catch (error) {
        if (error instanceof Told && error.retryMs !== null) retryMs = error.retryMs
      }
      await interruptible(retryMs * (0.5 + Math.random() / 2), stopping)
    }
    attempted()
  }

  /** Ends as a throw, its reason told before the connection is closed; or silently, once stopped. */
  async function attempt(tell: Teller, stopping: AbortSignal): Promise<never> {
    const { fail, within } = breakable()
    const stop = () => fail(new Error('closed'))
    stopping.addEventListener('abort', stop)

    let close = async () => {}
    try {
      const client = await clients.take(connecting => within(timeoutMs, 'the attempt to connect', connecting))
      let heard = (_channel: string, _payload: string) => {}
      const connection = listeningConnection(client, {
        broken: fail,
        heard(channel, payload) {
          try {
            heard(channel, payload)
          } catch (error) {
            fail(error as Error)
          }
        }
      })
      close = connection.close
      connection.unref()
      const watched = await within(timeoutMs, 'the database', watchedTables(database, { tables, sessions }))
      const attempt = listening(connection, tell, { database, watched, heartbeatMs, leaseMs, within })
      heard = attempt.heard
      return await attempt.serve()
    } catch (error) {
      if (!stopping.aborted) tell.lost(sentenceOf(error))
      throw error
    } finally {
      stopping.removeEventListener('abort', stop)
      if (stopping.aborted) clients.forget()
      await close()
    }
  }
}

/**
 * At most one connection is waited for: one that comes too late is the next attempt's, or ended, and never one that
 * nobody knows of.
 */
function oneAtATime(connect: () => Promise<ListeningClient>) {
  let pending: Promise<ListeningClient> | null = null
  return {
    async take(wait: (connecting: Promise<ListeningClient>) => Promise<ListeningClient>): Promise<ListeningClient> {
      pending ??= open()
      const client = await wait(pending)
      pending = null
      return client
    },
    forget(): void {
      pending?.then(discard, () => {})
      pending = null
    }
  }

  async function open(): Promise<ListeningClient> {
    try {
      const client = await connect()
      // It may break before anybody takes it.
      client.on('error', () => {})
      return client
    } catch (error) {
      pending = null
      throw error
    }
  }
}

function connectOf({ database, connect }: PostgresRevocationsOptions, timeoutMs: number) {
  if (typeof connect === 'string') return () => connectTo(connect, timeoutMs)
  if (connect !== undefined) return connect
  const pool = database as { connect?: () => Promise<ListeningClient>; options?: { max?: unknown }; pool?: typeof pool }
  if (typeof pool.connect !== 'function') {
    throw new TypeError('`database` is no pool, so it has no connection to spare for listening: give `connect` as well')
  }
  if ((pool.options ?? pool.pool?.options)?.max === 1) {
    throw new TypeError(
      'A pool of one connection has none to spare for listening: give it a larger `max`, or give `connect`'
    )
  }
  return () => (pool.connect as () => Promise<ListeningClient>)()
}

function interruptible(ms: number, stopping: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      stopping.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms).unref()
    if (stopping.aborted) done()
    else stopping.addEventListener('abort', done)
  })
}
