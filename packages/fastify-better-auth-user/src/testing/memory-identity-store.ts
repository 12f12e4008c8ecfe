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
  /** An API key of Better Auth's plugin, given in plain text. */
  addApiKey(key: string, options: ApiKeyToAdd): void
  /** An opaque OAuth access token, given in plain text. */
  addOAuthToken(token: string, options: OAuthTokenToAdd): void
  /** From now on every look-up throws this; `null` ends the outage. */
  failWith(outage: Error | null): void
}

export interface ApiKeyToAdd {
  userId: string
  /** @default true */
  enabled?: boolean | undefined
  /** @default null, for ever */
  expiresAt?: Date | null | undefined
  /** Configuration it was made under. @default 'default' */
  configId?: string | undefined
}

export interface OAuthTokenToAdd {
  userId: string
  expiresAt: Date
  grant: Grant
  /** What it was issued for. @default [], everything */
  resources?: readonly string[] | undefined
}

export function memoryIdentityStore({ now = Date.now }: MemoryIdentityStoreOptions = {}): MemoryIdentityStore {
  const users = new Map<string, User>()
  /** Banned users, and until when. */
  const bans = new Map<string, Date | null>()
  /** By token. */
  const sessions = new Map<string, Session>()
  /** By digest. */
  const apiKeys = new Map<string, ApiKeyToAdd>()
  const oauthTokens = new Map<string, OAuthTokenToAdd>()
  let outage: Error | null = null

  return {
    async find(claims) {
      if (outage !== null) throw outage
      switch (claims.by) {
        case 'api-key':
          return byApiKey(claims)
        case 'oauth-token':
          return byOAuthToken(claims)
        case 'oauth-grant':
          return byGrant(claims)
        case 'session-token': {
          const session = sessions.get(claims.sessionToken)
          return session === undefined ? null : toRecord(session.userId, isLive(session) ? [session] : [])
        }
        case 'subject':
          return toRecord(claims.subject, liveSessions(claims.subject, claims.sessionId))
        case 'email': {
          const userId = idOf(claims.email)
          return userId === null ? null : toRecord(userId, liveSessions(userId, null))
        }
      }
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
    addApiKey(key, options) {
      known(options.userId)
      apiKeys.set(digest(key), options)
    },
    addOAuthToken(token, options) {
      known(options.userId)
      oauthTokens.set(digest(token), options)
    },
    failWith(error) {
      outage = error
    }
  }

  function byApiKey({ keyHash, configIds }: Extract<Claims, { by: 'api-key' }>): IdentityRecord | null {
    const key = apiKeys.get(keyHash)
    if (key === undefined || key.enabled === false || !isLive(key)) return null
    if (configIds !== undefined && !configIds.includes(key.configId ?? 'default')) return null
    return toRecord(key.userId, [])
  }

  function byOAuthToken({ tokenHash, audience = [] }: Extract<Claims, { by: 'oauth-token' }>): IdentityRecord | null {
    const token = oauthTokens.get(tokenHash)
    if (token === undefined || !isLive(token)) return null
    const { resources = [], grant, userId } = token
    if (resources.length > 0 && !resources.some(one => audience.includes(one))) return null
    return withGrant(toRecord(userId, []), grant)
  }

  function byGrant({ subject, sessionId, grant }: Extract<Claims, { by: 'oauth-grant' }>): IdentityRecord | null {
    const live = sessionId === null ? [] : liveSessions(subject, sessionId)
    return sessionId !== null && live.length === 0 ? null : withGrant(toRecord(subject, live), grant)
  }

  function toRecord(userId: string, live: Session[]): IdentityRecord | null {
    const user = users.get(userId)
    if (user === undefined) return null
    const [longest = null] = live.toSorted((a, b) => b.expiresAt.getTime() - a.expiresAt.getTime())
    return {
      user: { ...user },
      session: longest === null ? null : { ...longest },
      sessionCount: live.length,
      banned: isBanned(userId),
      validForMs: live.length === 0 ? 0 : Math.min(...live.map(({ expiresAt }) => expiresAt.getTime())) - now()
    }
  }

  function liveSessions(userId: string, wanted: string | null): Session[] {
    return [...sessions.values()].filter(
      session => session.userId === userId && isLive(session) && (wanted === null || session.id === wanted)
    )
  }

  // Equal is still valid, as Better Auth has it.
  function isLive({ expiresAt = null }: { expiresAt?: Date | null | undefined }): boolean {
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

function withGrant(record: IdentityRecord | null, grant: Grant): IdentityRecord | null {
  return record === null ? null : { ...record, grant }
}

const WEEK_MS = 7 * 24 * 60 * 60 * 1000

/** As Better Auth keeps keys and opaque tokens: SHA-256, base64url without padding. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
