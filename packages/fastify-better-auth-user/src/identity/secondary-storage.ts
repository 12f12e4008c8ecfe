import { messageOf } from '../errors.ts'
import type { IdentityRecord, IdentityStore } from './identity-store.ts'
import { readSessionJson, type SessionJson } from './session-json.ts'
import { withTimeLimit } from './time-limit.ts'

/** The part of a key–value store that is used. Better Auth's own `SecondaryStorage` fits, and so does a client of ioredis. */
export interface SecondaryStorage {
  /** Text, or what a client has parsed of it already (as Upstash's does); `null` or `undefined` where there is nothing. */
  get(key: string): unknown
}

export interface SecondaryStorageIdentityStoreOptions {
  /** The same storage that Better Auth writes to. */
  storage: SecondaryStorage
  /**
   * Goes before every key. For a bare client beside `@better-auth/redis-storage`: `'better-auth:'`; nothing when `storage`
   * is the very object Better Auth is given. @default ''
   */
  prefix?: string | undefined
  /**
   * Where users are asked for (`postgresUserStore` for deployments without a session table): a changed role, a ban or a
   * deletion then counts at once, users without a session are known, and e-mail claims can be answered. @default the
   * copy kept beside each session, which only Better Auth's own calls refresh
   */
  users?: IdentityStore | undefined
  /** Further fields of the user to put on `request.user`, from the copy; with `users`, those of that store count. */
  userFields?: readonly string[] | undefined
  /** Gives up on a lookup after this many milliseconds. @default 5000 */
  timeoutMs?: number | undefined
  /** Milliseconds since the epoch; expiry and bans are judged by it. @default Date.now */
  now?: (() => number) | undefined
}

type Owner = Pick<IdentityRecord, 'user' | 'banned'>

/** So many of a user's sessions are read at a time, those that live longest first. */
const BATCH = 100

/**
 * Sessions in Better Auth's `secondaryStorage`, read-only: `<token>` holds a session with a copy of its user,
 * `active-sessions-<user id>` lists a user's tokens, and `revoked-sessions-before-<user id>` (Better Auth ≥ 1.7.24) ends
 * every session created before it.
 *
 * What cannot be read as such a value counts as absent: neither an outage nor a sign-in. A revocation mark that cannot
 * be read ends all sessions of its user. Only a storage that throws, or keeps silent, is an outage.
 */
export function secondaryStorageIdentityStore(options: SecondaryStorageIdentityStoreOptions): IdentityStore {
  const { storage, prefix = '', users = null, userFields = [], timeoutMs = 5000, now = Date.now } = options

  return {
    find: claims => withTimeLimit(timeoutMs, 'the secondary storage', find(claims)),
    async check() {
      return (await Promise.all([users?.check?.() ?? [], checkStorage()])).flat()
    }
  }

  async function checkStorage(): Promise<string[]> {
    try {
      await withTimeLimit(timeoutMs, 'it', readKey('active-sessions-'))
      return []
    } catch (error) {
      return [`The secondary storage cannot be read (${messageOf(error)}): start it, or correct its address.`]
    }
  }

  async function find(claims: Parameters<IdentityStore['find']>[0]): Promise<IdentityRecord | null> {
    if (claims.by === 'session-token') return byToken(claims.sessionToken)
    if (claims.by === 'subject') return bySubject(claims.subject, claims.sessionId)
    if (claims.by !== 'email') return null
    const owner = (await users?.find(claims)) ?? null
    return owner === null ? null : bySubject(owner.user.id, null, owner)
  }

  async function byToken(token: string): Promise<IdentityRecord | null> {
    const found = await readSession(token)
    if (found === null) return null
    const { userId } = found.session
    const [revokedBefore, owner] = await Promise.all([readRevocation(userId), users ? findUser(userId) : copyIn(found)])
    if (owner === null) return null
    const live = isLive(found, revokedBefore) ? [found] : []
    return { ...pick(owner), ...sessionsOf(live), readTokens: () => [token] }
  }

  async function bySubject(
    userId: string,
    sessionId: string | null,
    known: Owner | null = null
  ): Promise<IdentityRecord | null> {
    const [tokens, revokedBefore, current] = await Promise.all([
      readTokens(userId),
      readRevocation(userId),
      known ?? (users ? findUser(userId) : null)
    ])
    if (users !== null && current === null) return null

    let copy: Owner | null = null
    let live: SessionJson[] = []
    const read: string[] = []
    for (let start = 0; start < tokens.length && live.length === 0; start += BATCH) {
      read.push(...tokens.slice(start, start + BATCH))
      const batch = await Promise.all(read.slice(start).map(readSession))
      const own = batch.filter(one => one !== null).filter(({ session }) => session.userId === userId)
      copy ??= own.map(copyIn).find(one => one !== null) ?? null
      live = own.filter(one => isLive(one, revokedBefore) && (sessionId === null || one.session.id === sessionId))
    }
    const owner = current ?? copy
    if (owner === null) return null
    return { ...pick(owner), ...sessionsOf(live), readTokens: () => read }
  }

  function sessionsOf(live: readonly SessionJson[]) {
    const firstEnd = Math.min(...live.map(({ session }) => session.expiresAt.getTime()))
    const validForMs = live.length === 0 ? 0 : firstEnd - now()
    return { session: longestLived(live), sessionCount: live.length, validForMs }
  }

  function isLive({ session: { expiresAt, createdAt } }: SessionJson, revokedBefore: number): boolean {
    // Equal is still valid, as Better Auth has it.
    if (expiresAt.getTime() < now()) return false
    return revokedBefore === 0 || (createdAt !== null && createdAt.getTime() >= revokedBefore)
  }

  async function findUser(userId: string): Promise<Owner | null> {
    const record = (await users?.find({ by: 'subject', subject: userId, sessionId: null, email: null })) ?? null
    return record?.user.id === userId ? record : null
  }

  async function readSession(token: string): Promise<SessionJson | null> {
    const found = readSessionJson(await readKey(token), { userFields, now: now() })
    // Any key can be asked for by sending it as a token; only a session that calls itself so is one.
    return found?.token === token ? found : null
  }

  async function readTokens(userId: string): Promise<string[]> {
    const list = await readKey(`active-sessions-${userId}`)
    if (!Array.isArray(list)) return []
    const expiries = new Map<string, number>()
    for (const entry of list) {
      const { token, expiresAt } = (entry ?? {}) as { token?: unknown; expiresAt?: unknown }
      if (typeof token === 'string' && typeof expiresAt === 'number' && expiresAt >= now())
        expiries.set(token, expiresAt)
    }
    return [...expiries].sort(([, a], [, b]) => b - a).map(([token]) => token)
  }

  /** Milliseconds since the epoch; 0 where nothing was revoked. */
  async function readRevocation(userId: string): Promise<number> {
    const mark = await readKey(`revoked-sessions-before-${userId}`, Number.POSITIVE_INFINITY)
    if (mark === null) return 0
    return typeof mark === 'number' && mark >= 0 ? mark : Number.POSITIVE_INFINITY
  }

  async function readKey(key: string, unreadable: unknown = null): Promise<unknown> {
    const value = (await getOrSay(key)) ?? null
    if (value === WRONG_TYPE) return unreadable
    if (typeof value !== 'string') return value
    try {
      return JSON.parse(value)
    } catch {
      return unreadable
    }
  }

  async function getOrSay(key: string): Promise<unknown> {
    try {
      return await storage.get(prefix + key)
    } catch (error) {
      const message = messageOf(error)
      if (/\bWRONGTYPE\b/.test(message)) return WRONG_TYPE
      // The key may be a session's token. ioredis has it in a property of the error, Upstash's client in the message.
      throw new Error(message.replaceAll(key, '…'))
    }
  }
}

/** For a key that holds something else than a text: what others keep in that server, and a token may name. */
const WRONG_TYPE = Symbol('wrong type')

function copyIn({ user, banned }: SessionJson): Owner | null {
  return user === null ? null : { user, banned }
}

function pick({ user, banned }: Owner): Owner {
  return { user, banned }
}

function longestLived(sessions: readonly SessionJson[]) {
  let best: SessionJson['session'] | null = null
  for (const { session } of sessions) if (best === null || session.expiresAt > best.expiresAt) best = session
  return best
}
