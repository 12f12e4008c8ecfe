import { sentenceOf } from './connection-errors.ts'
import { listening } from './listening-attempt.ts'
import {
  connectTo,
  discard,
  type ListeningClient,
  type ListeningConnection,
  listeningConnection
} from './listening-connection.ts'
import { paceOf } from './pace.ts'
import { type Life, persistentChannel } from './persistent-channel.ts'
import type { Queryable } from './queryable.ts'
import { watchedTables } from './revocation-tables.ts'
import type { RevocationChannel } from './revocations.ts'
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
  /**
   * The longest that a change can go unheard, in milliseconds. While heartbeats are answered quickly it is less: a proof
   * holds for `heartbeatMs` and a quarter of a second. @default twice `heartbeatMs`
   */
  leaseMs?: number | undefined
  /** Gives up on an attempt to connect after so many milliseconds. @default 5000 */
  timeoutMs?: number | undefined
}

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
  const { database, tables = {}, sessions = true, timeoutMs = 5000 } = options
  const pace = paceOf(options)
  const clients = oneAtATime(connectOf(options, timeoutMs))
  let queueUsage = 0

  let confirm = unheard

  return { ...persistentChannel({ live, sentenceOf, worries }), confirm: () => confirm() }

  async function live(life: Life): Promise<never> {
    const { within, fail } = life
    let connection: ListeningConnection | null = null
    let hear = (_channel: string, _payload: string) => {}
    const heard = (channel: string, payload: string) => {
      try {
        hear(channel, payload)
      } catch (error) {
        fail(error as Error)
      }
    }
    try {
      const connecting = clients.take(client => {
        connection = listeningConnection(client, { broken: fail, heard })
        return connection
      })
      const own = await within(timeoutMs, 'the attempt to connect', connecting)
      own.unref()
      const watched = await within(timeoutMs, 'the database', watchedTables(database, { tables, sessions }))
      const listens = listening(own, life, { database, watched, pace, within, queue })
      hear = listens.heard
      confirm = listens.confirm
      return await listens.serve()
    } catch (error) {
      confirm = unheard
      // Before the connection is closed, which may take a moment.
      life.lost(sentenceOf(error))
      throw error
    } finally {
      clients.giveUp()
      await close(connection)
    }
  }

  function queue(usage: number): void {
    queueUsage = usage
  }

  function worries(): string[] {
    if (queueUsage <= QUEUE_ALARM) return []
    return [
      `Postgres's queue of notifications is ${Math.round(queueUsage * 100)} % full, and when it is full commits fail: ` +
        'end the transaction that has been open for long in a session that listens (pg_stat_activity).'
    ]
  }
}

async function unheard(): Promise<void> {
  throw new Error('nobody listens')
}

/** Connects once at a time: while an attempt is under way that nobody waits for any more, the next one waits for it too. */
function oneAtATime(connect: () => Promise<ListeningClient>) {
  let pending: Promise<ListeningConnection> | null = null
  let use: ((client: ListeningClient) => ListeningConnection) | null = null
  return {
    /** @param wanted is called at the very moment there is a client, which otherwise somebody else would have to end. */
    take(wanted: (client: ListeningClient) => ListeningConnection): Promise<ListeningConnection> {
      use = wanted
      pending ??= open().finally(() => {
        pending = null
      })
      return pending
    },
    /** What comes now is ended. */
    giveUp(): void {
      use = null
    }
  }

  async function open(): Promise<ListeningConnection> {
    const client = await connect()
    if (use !== null) return use(client)
    discard(client)
    throw new Error('it came too late')
  }
}

async function close(connection: ListeningConnection | null): Promise<void> {
  await connection?.close()
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
