import { randomBytes } from 'node:crypto'
import type { Breakable } from './breakable.ts'
import { Told } from './connection-errors.ts'
import type { ListeningConnection } from './listening-connection.ts'
import type { Pace } from './pace.ts'
import type { Queryable } from './queryable.ts'
import { EVERYTHING, REMOVED } from './revocation-sql.ts'
import { INSTALL, objectionTo, stateSql, stateValues, type TableState } from './revocation-state.ts'
import { OURS, type WatchedTable } from './revocation-tables.ts'
import type { Change, RevocationListener } from './revocations.ts'
import { quote } from './tables.ts'

export interface ListeningOptions {
  /** Where identities are looked up; a pool says whether it is `ending`. */
  database: Queryable & { ending?: boolean }
  watched: readonly WatchedTable[]
  pace: Pace
  /** Fails when the connection breaks, or the channel is closed. */
  within: Breakable['within']
  /** Told the fullness of Postgres's queue of notifications, 0 to 1. */
  queue(usage: number): void
}

/** How long a notification may take from one connection to the other before it counts as not heard. */
const PROOF_MS = 1500
/** A pooler is not replaced in a second. */
const POOLER_RETRY_MS = 60_000

const POOLER =
  'The listening connection goes through a connection pooler in transaction mode (PgBouncer with `pool_mode = transaction`, ' +
  'a Neon host with `-pooler` in its name), where LISTEN hears nothing: pass `cache.channel: postgresRevocations({ database, ' +
  'connect })` with a connection string that leads straight to Postgres, or to a pooler in session mode.'

interface Heartbeat {
  pid: number
  usage: number
  channels: readonly string[]
  tables: readonly (TableState | undefined)[]
}

/** So that whoever looks at pg_stat_activity knows whose session this is. */
const SIGNATURE = '-- fastify-better-auth-user listens'

// As text, whatever the application has pg make of JSON.
const HEARTBEAT = `${SIGNATURE}
  select json_build_object(
    'pid', pg_backend_pid(), 'usage', pg_notification_queue_usage(),
    'channels', array(select pg_listening_channels()), 'tables', ${stateSql(3)}
  )::text as state, pg_notify($1, $2)`

/**
 * Listens over one connection.
 *
 * @returns what to do with what is heard, and `serve`, which goes on until something fails and ends as a throw.
 */
export function listening(connection: ListeningConnection, tell: RevocationListener, options: ListeningOptions) {
  const { database, watched, within, queue } = options
  const { heartbeatMs, leaseMs, patience } = options.pace
  // Random, so that nobody else can send or guess a proof.
  const ping = `${OURS}ping_${randomBytes(12).toString('hex')}`
  const channels = [ping, ...watched.map(one => one.name)]
  const expected = new Map<string, () => void>()
  let pid: number | null = null
  let versions: string | null = null

  return {
    /** @throws Told when the triggers have been removed. */
    heard(channel: string, payload: string): void {
      if (channel === ping) expected.get(payload)?.()
      else if (payload === REMOVED) throw new Told(`The revocation triggers were removed. ${INSTALL}`)
      else tell.changed(changeIn(payload))
    },
    async serve(): Promise<never> {
      await within(leaseMs, 'LISTEN', connection.query(channels.map(name => `listen ${quote(name)}`).join(';')))
      await prove()
      for (;;) {
        // A pool waits for its clients to come back before it ends.
        if (database.ending) throw new Told('The pool of the database was ended: close the service before it.')
        const sentAt = performance.now()
        await beat(sentAt)
        await within(Infinity, '', pause(sentAt + heartbeatMs - performance.now()))
      }
    },
    /**
     * A commit is acknowledged after its listeners have been signalled, and a session that has been sends what it was told
     * before it says that it is ready again (PostgreSQL's async.c and postgres.c). So the answer to a mere comment will do.
     */
    async confirm(): Promise<void> {
      await within(patience(), 'the listening connection', connection.query(SIGNATURE))
    }
  }

  /**
   * That this connection, idle, hears what another one notifies. Behind a pooler in transaction mode it does not, although
   * it hears itself; nor does a connection to some other database.
   */
  async function prove(): Promise<void> {
    // A queue of notifications that was full stays so, even when everybody has read it, until somebody asks how full it is.
    const question = 'select pg_backend_pid()::int as pid, pg_notification_queue_usage()'
    const own = within(leaseMs, 'the database', connection.query(question))
    pid = Number(((await own)[0] as { pid: unknown }).pid)
    const nonce = newNonce()
    const heard = expect(nonce)
    try {
      const notify = { text: 'select pg_notify($1, $2)', values: [ping, nonce], query_timeout: leaseMs }
      await within(leaseMs, 'the database of the identities', database.query(notify))
    } catch (error) {
      if ((error as { code?: unknown }).code !== '25006') throw error
      throw new Told(
        'Identities are looked up on a hot standby, which lags behind the changes that are told: let `database` lead to the primary.'
      )
    }
    const late = pause(PROOF_MS).then(() => {
      if (connection.processId !== null && connection.processId !== pid) throw new Told(POOLER, POOLER_RETRY_MS)
      throw new Told(
        'The listening connection hears nothing of the database where identities are looked up: connect both to the same database of the same server.'
      )
    })
    await within(Infinity, '', Promise.race([heard, late]))
    expected.delete(nonce)
  }

  async function beat(sentAt: number): Promise<void> {
    const nonce = newNonce()
    const heard = expect(nonce)
    const values = [ping, nonce, ...stateValues(watched)]
    // Kept as a plan, unless a pooler is in between, some of which know nothing of prepared statements.
    const name = connection.processId === pid ? `${OURS}heartbeat` : undefined
    const [row] = await within(leaseMs, 'the database', connection.query(HEARTBEAT, values, name))
    await within(sentAt + leaseMs - performance.now(), 'the notification of a heartbeat', heard)
    expected.delete(nonce)
    const state = JSON.parse((row as { state: string }).state) as Heartbeat
    judge(state, sentAt)
  }

  function judge(state: Heartbeat, sentAt: number): void {
    queue(state.usage)
    if (state.pid !== pid) throw new Told(POOLER, POOLER_RETRY_MS)
    if (channels.some(name => !state.channels.includes(name))) {
      throw new Told('The listening connection was told to UNLISTEN: let nobody else use it.')
    }
    const objection = watched.map((one, index) => objectionTo(one, state.tables[index])).find(one => one !== null)
    // The successor of a table that is gone may have another name, and be found.
    if (objection !== undefined && state.tables.some(one => !one?.table)) throw new Told(objection ?? '')
    const found = state.tables.map(one => one?.versions).join()
    // What has changed may have been off for a moment.
    const changed = versions !== null && versions !== found
    versions = found
    if (objection) tell.lost(objection)
    else if (changed) tell.lost('The revocation triggers were changed just now: wait for the next heartbeat.')
    else tell.trusted(options.pace.prove(sentAt))
  }

  function expect(nonce: string): Promise<void> {
    return new Promise(resolve => expected.set(nonce, resolve))
  }
}

/** A payload that is not understood may mean anything. */
function changeIn(payload: string): Change {
  if (payload === EVERYTHING) return 'everything'
  try {
    const userIds: unknown = JSON.parse(payload)
    if (Array.isArray(userIds) && userIds.every(id => typeof id === 'string')) return { userIds, sessionTokens: [] }
  } catch {}
  return 'everything'
}

function newNonce(): string {
  return randomBytes(12).toString('base64url')
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, Math.max(0, ms)).unref())
}
