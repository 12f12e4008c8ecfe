import { randomBytes } from 'node:crypto'
import { messageOf } from '../errors.ts'
import { Told } from './connection-errors.ts'
import { paceOf } from './pace.ts'
import { type Life, persistentChannel } from './persistent-channel.ts'
import type { Change, RevocationChannel } from './revocations.ts'

/** The part of a client of ioredis that is used to listen. */
export interface RedisSubscriber {
  psubscribe(pattern: string): Promise<unknown>
  on(event: 'pmessage', listener: (pattern: string, channel: string, message: string) => void): unknown
  on(event: 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'pmessage', listener: (pattern: string, channel: string, message: string) => void): unknown
  off(event: 'close', listener: () => void): unknown
  punsubscribe(pattern: string): Promise<unknown>
  ping(): Promise<unknown>
  isCluster?: boolean
  options?: { db?: number }
}

/** The part of a client of ioredis that is used to look at the server. */
export interface RedisInspector {
  publish(channel: string, message: string): Promise<unknown>
  config(operation: 'GET', name: string): Promise<unknown>
  info(section: string): Promise<string>
}

export interface RedisRevocationsOptions {
  /** A connection of its own: `redis.duplicate()`. It must lead to the server that Better Auth writes to. */
  subscriber: RedisSubscriber
  /** An ordinary connection to the same server, which may be one that is used for other things as well. */
  client: RedisInspector
  /** Goes before every key, as in `secondaryStorageIdentityStore`, `'better-auth:'` for example. @default '' */
  prefix?: string | undefined
  /** Number of the database that holds the keys. @default that of `subscriber` */
  db?: number | undefined
  /**
   * `'checked'`: the server is asked whether it tells of everything needed. `'vouched'`: you have set
   * `notify-keyspace-events` to `Kg$xe`, where the server does not let anybody ask. @default 'checked'
   */
  keyspaceEvents?: 'checked' | 'vouched' | undefined
  /** How often the connection is proved alive, in milliseconds, 1000 or more. @default 1000 */
  heartbeatMs?: number | undefined
  /**
   * The longest that a change can go unheard, in milliseconds. While heartbeats are answered quickly it is less: a proof
   * holds for `heartbeatMs` and a quarter of a second. @default twice `heartbeatMs`
   */
  leaseMs?: number | undefined
  /** Gives up on an attempt to subscribe after so many milliseconds. @default 5000 */
  timeoutMs?: number | undefined
}

/** Events of keys by their names (K), of any command (g), of strings ($), of keys that expire (x) or are evicted (e). */
const NEEDED = 'Kg$xe'
/** `A` stands for these, among others. */
const IN_ALL = 'g$xe'
/** No key of Better Auth's is called so; none of this name is ever written. */
const HEARTBEAT = 'fastify-better-auth-user:heartbeat'
const LISTS = ['active-sessions-', 'revoked-sessions-before-']

/**
 * Changes in Better Auth's secondary storage, told by Redis's keyspace events. Nothing is written.
 *
 * Each heartbeat publishes, over `client`, on a channel of a key that does not exist. Messages leave the server in the
 * order in which they came up, so what was written before has been told when it is heard; and it is heard only while the
 * subscription stands and both connections lead to one server, which the answer to a PING would not prove.
 *
 * FLUSHALL and FLUSHDB cause no events: they are noticed by the next heartbeat. Not for Redis Cluster, whose nodes tell of
 * their own keys only.
 *
 * @throws TypeError for options that cannot work.
 */
export function redisRevocations(options: RedisRevocationsOptions): RevocationChannel {
  const { subscriber, client, prefix = '', keyspaceEvents = 'checked', timeoutMs = 5000 } = options
  const { heartbeatMs, leaseMs, prove, patience } = paceOf(options)
  if (subscriber.isCluster === true) {
    throw new TypeError(
      'subscriber must lead to a single server: the nodes of a Redis Cluster tell of their own keys only'
    )
  }
  const space = `__keyspace@${options.db ?? subscriber.options?.db ?? 0}__:${prefix}`
  const pattern = `${space.replace(/[\\*?[\]]/g, character => `\\${character}`)}*`

  // Without a listener ioredis prints what it suffers from, and that is told already.
  subscriber.on('error', () => {})

  const channel = persistentChannel({ live, sentenceOf })
  let confirm = unheard
  return {
    ...channel,
    confirm: () => confirm(),
    async close() {
      await channel.close()
      // Nobody waits for it: the connection may be broken.
      subscriber.punsubscribe(pattern).catch(() => {})
    }
  }

  async function live({ within, fail, changed, trusted }: Life): Promise<never> {
    let flushes: string | null = null
    let [nonce, proved] = ['', () => {}]
    const onMessage = (asked: string, channel: string, message: string) => {
      if (asked !== pattern) return
      const key = channel.slice(space.length)
      if (key !== HEARTBEAT) changed(changeOf(key))
      // Other services have heartbeats, too.
      else if (message === nonce) proved()
    }
    const onClose = () => fail(new Error('the connection was closed'))
    subscriber.on('pmessage', onMessage)
    subscriber.on('close', onClose)
    try {
      await within(timeoutMs, 'Redis', subscriber.psubscribe(pattern))
      for (;;) {
        const sentAt = performance.now()
        nonce = randomBytes(12).toString('base64url')
        const heard = new Promise<void>(resolve => {
          proved = resolve
        })
        const asked = [readFlushes(), checkSettings(), client.publish(space + HEARTBEAT, nonce), heard] as const
        const [found] = await within(leaseMs, 'Redis', Promise.all(asked))
        // What is flushed from now on is seen by the next heartbeat.
        if (flushes !== null && found !== flushes) changed('everything')
        flushes = found
        trusted(prove(sentAt))
        // An answer leaves the server after the messages of whatever was written before it was asked.
        confirm = async () => void (await within(patience(), 'Redis', subscriber.ping()))
        await within(Number.POSITIVE_INFINITY, '', pause(sentAt + heartbeatMs - performance.now()))
      }
    } finally {
      confirm = unheard
      subscriber.off('pmessage', onMessage)
      subscriber.off('close', onClose)
    }
  }

  async function checkSettings(): Promise<void> {
    if (keyspaceEvents === 'vouched') return
    const found = await ask(() => client.config('GET', 'notify-keyspace-events'), 'CONFIG GET')
    const flags = String(Array.isArray(found) ? found[1] : '')
    const given = flags.includes('A') ? flags + IN_ALL : flags
    const missing = [...NEEDED].filter(flag => !given.includes(flag))
    if (missing.length === 0) return
    throw new Told(
      `Redis does not tell of every change: its notify-keyspace-events is "${flags}" and lacks ${missing.join('')}. ` +
        `Set it, in redis.conf as well: CONFIG SET notify-keyspace-events ${[...new Set(flags + missing.join(''))].join('')}`
    )
  }

  /** How often a database was emptied since the server was started. */
  async function readFlushes(): Promise<string> {
    if (keyspaceEvents === 'vouched') {
      const stats = await client.info('commandstats').catch(() => '')
      return flushesIn(stats)
    }
    return flushesIn(String(await ask(() => client.info('commandstats'), 'INFO')))
  }

  async function ask(question: () => Promise<unknown>, command: string): Promise<unknown> {
    try {
      return await question()
    } catch (error) {
      if (!/unknown command|NOPERM|no permissions|not allowed|disabled/i.test(messageOf(error))) throw error
      throw new Told(
        `Redis lets nobody ask for its settings (${command}: ${messageOf(error)}): allow it, or set notify-keyspace-events ` +
          `to ${NEEDED} and vouch for that with \`keyspaceEvents: 'vouched'\`.`
      )
    }
  }
}

/** Keys hold a session by its token, a user's list of tokens, or the instant before which a user's sessions are revoked. */
function changeOf(key: string): Change {
  const list = LISTS.find(name => key.startsWith(name))
  return list === undefined
    ? { userIds: [], sessionTokens: [key] }
    : { userIds: [key.slice(list.length)], sessionTokens: [] }
}

function flushesIn(commandStats: string): string {
  return (commandStats.match(/^cmdstat_(flushall|flushdb|swapdb):calls=\d+/gm) ?? []).sort().join(' ')
}

async function unheard(): Promise<void> {
  throw new Error('nobody listens')
}

function sentenceOf(error: unknown): string {
  if (error instanceof Told) return error.message
  return `The subscription to Redis failed (${messageOf(error)}): it is tried again by itself; see that Redis is up and can be reached.`
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, Math.max(0, ms)).unref())
}
