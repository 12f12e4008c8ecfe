import { createHash, randomBytes } from 'node:crypto'
import type { IdentityRecord, IdentityStore } from '../identity/identity-store.ts'
import type { Claims, Grant, Session, User } from '../types.ts'

export interface MemoryIdentityStoreOptions {
  /** Milliseconds since the epoch; expiry and bans are judged by it. @default Date.now */
  now?: (() => number) | undefined
}

/** A session with its token: what a signed-in client holds. */
export interface SignedInSession extends Session {
  token: string
}

/** Users and sessions in memory, for tests of applications: same answers as the stores of a real deployment. */
export interface MemoryIdentityStore extends IdentityStore {
  /** What is left out is made up; fields of your own are kept. */
  addUser(user?: Partial<User>): User
  /** Signs the user in. What is left out is made up; a session lasts 7 days. @throws Error when there is no such user. */
  addSession(userId: string, session?: Partial<SignedInSession>): SignedInSession
  /** Changes a user, as Better Auth's `/update-user` or an administrator would. */
  updateUser(userId: string, changes: Partial<Omit<User, 'id'>>): void
  /** Bans a user, for good or up to an instant; the sessions stay, as when the ban is written to the database. */
  ban(userId: string, until?: Date | null): void
  unban(userId: string): void
  /** Ends a session before its time. */
  revoke(token: string): void
  /** Removes a user with all sessions, keys and tokens. */
  removeUser(userId: string): void
  /** An API key of Better Auth's plugin, given in plain text; it works until `expiresAt`, `null` is for ever. */
  addApiKey(key: string, options: { userId: string; enabled?: boolean; expiresAt?: Date | null }): void
  /** An opaque OAuth access token, given in plain text. */
  addOAuthToken(token: string, options: { userId: string; expiresAt: Date; grant: Grant }): void
  /** From now on every look-up throws this; `null` ends the outage. */
  failWith(outage: Error | null): void
}

interface Held {
  userId: string
  expiresAt: Date | null
  enabled: boolean
  grant: Grant | null
}

export function memoryIdentityStore({ now = Date.now }: MemoryIdentityStoreOptions = {}): MemoryIdentityStore {
  const users = new Map<string, User>()
  /** Banned users, and until when. */
  const bans = new Map<string, Date | null>()
  /** By token. */
  const sessions = new Map<string, Session>()
  /** By digest. */
  const apiKeys = new Map<string, Held>()
  const oauthTokens = new Map<string, Held>()
  let outage: Error | null = null

  return {
    async find(claims) {
      if (outage !== null) throw outage
      if (claims.by === 'api-key') return byDigest(apiKeys.get(claims.keyHash))
      if (claims.by === 'oauth-token') return byDigest(oauthTokens.get(claims.tokenHash))
      if (claims.by === 'session-token') {
        const session = sessions.get(claims.sessionToken)
        return session === undefined ? null : toRecord(session.userId, isLive(session) ? [session] : [])
      }
      if (claims.by === 'oauth-grant') {
        const { subject, sessionId, grant } = claims
        const live = sessionId === null ? [] : liveSessions(subject, claims)
        const record = sessionId !== null && live.length === 0 ? null : toRecord(subject, live)
        return record === null ? null : { ...record, grant }
      }
      const userId = claims.by === 'subject' ? claims.subject : idOf(claims.email)
      return userId === null ? null : toRecord(userId, liveSessions(userId, claims))
    },
    async check() {
      return outage === null ? [] : [`${outage.message}. End it with failWith(null).`]
    },

    addUser(given = {}) {
      const id = given.id ?? `usr_${randomBytes(6).toString('hex')}`
      const blank = { name: 'Ada Lovelace', emailVerified: false, image: null, role: null }
      const user: User = { email: `${id}@example.com`, ...blank, ...given, id }
      users.set(id, user)
      return { ...user }
    },
    addSession(userId, given = {}) {
      known(userId)
      const { token = randomBytes(16).toString('hex'), ...rest } = given
      const session: Session = {
        id: `ses_${randomBytes(6).toString('hex')}`,
        expiresAt: new Date(now() + WEEK_MS),
        createdAt: new Date(now()),
        impersonatedBy: null,
        activeOrganizationId: null,
        ...rest,
        userId
      }
      sessions.set(token, session)
      return { ...session, token }
    },
    updateUser(userId, changes) {
      users.set(userId, { ...known(userId), ...changes, id: userId })
    },
    ban(userId, until = null) {
      bans.set(known(userId).id, until)
    },
    unban: userId => void bans.delete(userId),
    revoke: token => void sessions.delete(token),
    removeUser(userId) {
      users.delete(userId)
      bans.delete(userId)
      for (const held of [sessions, apiKeys, oauthTokens]) {
        for (const [key, { userId: owner }] of held) if (owner === userId) held.delete(key)
      }
    },
    addApiKey(key, { userId, enabled = true, expiresAt = null }) {
      apiKeys.set(digest(key), { userId: known(userId).id, enabled, expiresAt, grant: null })
    },
    addOAuthToken(token, { userId, expiresAt, grant }) {
      oauthTokens.set(digest(token), { userId: known(userId).id, enabled: true, expiresAt, grant })
    },
    failWith(error) {
      outage = error
    }
  }

  function byDigest(held: Held | undefined): IdentityRecord | null {
    if (held === undefined || !held.enabled || !isLive(held)) return null
    const record = toRecord(held.userId, [])
    return record === null ? null : { ...record, grant: held.grant }
  }

  function toRecord(userId: string, live: Session[]): IdentityRecord | null {
    const user = users.get(userId)
    if (user === undefined) return null
    const [longest = null] = live.toSorted((a, b) => b.expiresAt.getTime() - a.expiresAt.getTime())
    return {
      user: { ...user },
      session: longest === null ? null : { ...longest },
      sessionCount: live.length,
      banned: isBanned(userId)
    }
  }

  function liveSessions(userId: string, claims: Claims): Session[] {
    const wanted = claims.by === 'subject' || claims.by === 'oauth-grant' ? claims.sessionId : null
    return [...sessions.values()].filter(
      session => session.userId === userId && isLive(session) && (wanted === null || session.id === wanted)
    )
  }

  // Equal is still valid, as Better Auth has it.
  function isLive({ expiresAt }: { expiresAt: Date | null }): boolean {
    return expiresAt === null || expiresAt.getTime() >= now()
  }

  function isBanned(userId: string): boolean {
    const end = bans.get(userId)
    return end !== undefined && (end === null || end.getTime() > now())
  }

  function idOf(email: string): string | null {
    for (const user of users.values()) if (user.email === email) return user.id
    return null
  }

  function known(userId: string): User {
    const user = users.get(userId)
    if (user === undefined) throw new Error(`there is no user ${userId}: addUser() first`)
    return user
  }
}

const WEEK_MS = 7 * 24 * 60 * 60 * 1000

/** As Better Auth keeps keys and opaque tokens: SHA-256, base64url without padding. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
