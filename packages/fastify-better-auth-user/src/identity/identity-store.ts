import type { Claims, Grant, Session, User } from '../types.ts'

/** What the database says about verified claims, at the instant it was asked and by its own clock. */
export interface IdentityRecord {
  user: User
  /** The live session the claims point at (for a JWT without session id: the one that lives longest); `null` when none lives. */
  session: Session | null
  /** How many live sessions were seen. */
  sessionCount: number
  /** Banned now: a ban whose end has passed no longer counts. */
  banned: boolean
  /** For OAuth access tokens. @default null */
  grant?: Grant | null
  /**
   * How long this stays true if nobody writes, in milliseconds from when it was asked: until the first of the sessions
   * seen expires. @default 0: it may not be kept
   */
  validForMs?: number
  /**
   * Tokens of the sessions seen, for stores whose changes are told by token. A function, so that a record which is logged
   * shows none. @default none
   */
  readTokens?: () => readonly string[]
}

/** Given with the same claims whenever they are asked about: what a store leaves there saves it from looking for them again. */
export interface Bookmark {
  kept: object | null
}

/**
 * Finds users and sessions. Implementations only read.
 *
 * A store that cannot know about a kind of claims (API keys in Redis, say) answers `null` for it.
 * An API key or OAuth token is found only while it is enabled and not expired.
 *
 * `null` means "no such row": a session token nobody holds (or whose user is gone), a subject without a user. An outage
 * is a throw, and becomes a 503: never answer `null` because something could not be asked.
 */
export interface IdentityStore {
  find(claims: Claims): Promise<IdentityRecord | null>
  /**
   * What `find` would answer now, if that is known without asking; else `undefined`. Never throws.
   *
   * @param now instant of `performance.now()`, for who has just looked at the clock. @default this one
   */
  recall?(claims: Claims, bookmark?: Bookmark | null, now?: number): IdentityRecord | undefined
  /** What keeps this store from working now: a sentence with its cure for each problem. */
  check?(): Promise<string[]>
}
