import { channel as diagnostics } from 'node:diagnostics_channel'
import { createRecent, type Item } from '../recent.ts'
import type { Claims } from '../types.ts'
import { copyOfSession, copyOfUser, nestedFields } from './identity-copy.ts'
import type { Bookmark, IdentityRecord, IdentityStore } from './identity-store.ts'
import type { Change, RevocationChannel, RevocationListener } from './revocations.ts'
import { createTrust } from './trust.ts'

export interface CachedIdentityStoreOptions {
  /** The store that is asked. Only what it says `validForMs` of is kept. */
  store: IdentityStore
  /** Tells what changed. What is kept is used only while this channel vouches for its own silence. */
  channel: RevocationChannel
  /** Most identities kept; one that was not used for long gives way. @default 10000 */
  maxIdentities?: number | undefined
  /**
   * For how long, in milliseconds, a change may go unheard. 0: not at all; each request waits for the channel to say that it
   * has told everything, one question for all that arrive together. More saves who comes alone the way to the database and
   * back: the channel is asked when its last answer is older. One that cannot be asked is believed for as long as it vouches.
   * @default 0
   */
  maxStalenessMs?: number | undefined
  /** Told when the cache starts to be used, and when it stops and why. */
  onState?: ((state: CacheState) => void) | undefined
}

export interface CachedIdentityStore extends IdentityStore {
  /** Opens the channel. Until it vouches, every request is looked up. */
  open(): Promise<void>
  close(): Promise<void>
  /** What keeps identities from being kept now, a sentence with its cure each. Every request is looked up meanwhile. */
  checkChannel(): Promise<string[]>
  readonly stats: CacheStats
}

/** Whether the cache is used, and since it last changed: why not. */
export interface CacheState {
  /** `closed`: not opened yet, or closed. `lost`: changes may go unheard, so every request is looked up. */
  state: 'closed' | 'listening' | 'lost'
  /** For `lost`: a sentence with its cure. */
  reason: string | null
}

export interface CacheStats extends CacheState {
  /** Whether a kept identity would be used this moment: also `false` while a proof of life is overdue or a look-up has broken. */
  trusted: boolean
  /** Identities kept. */
  kept: number
  /** How often one was recalled instead of looked up. */
  recalled: number
  /** How often one had to be looked up. */
  missed: number
  /** How often the channel was asked whether it has told everything. */
  confirmations: number
  /** How often the channel told of a change. */
  changes: number
  /** How often everything was forgotten. */
  flushes: number
}

/** Name of the diagnostics channel on which every {@link CacheState} is published. */
export const CACHE_CHANNEL = 'fastify-better-auth-user:cache'

const states = diagnostics(CACHE_CHANNEL)

interface Kept extends Item {
  user: IdentityRecord['user']
  session: NonNullable<IdentityRecord['session']>
  sessionCount: number
  grant: IdentityRecord['grant']
  /** Fields of the user that hold more than a plain value: columns of the application's own. */
  nested: readonly string[]
  /** Instant of `performance.now()`. */
  until: number
  /** What it is forgotten by. */
  links: readonly string[]
}

const ENDLESS =
  'Not everybody is kept, as the identity store does not say for how long its answers hold (`validForMs`): give ' +
  'postgresIdentityStore the option `tellValidity`.'

/** So many changes are remembered for look-ups that are under way; beyond, none of their answers is kept. */
const MAX_REMEMBERED_CHANGES = 1000

/**
 * Keeps identities of sessions and their users for as long as the channel would tell of any change, and no longer than
 * the database said they hold by themselves. Nobody's absence is kept, no ban, no API key and no OAuth token.
 *
 * Two hazards are met: an answer that was on its way while its user changed is not kept, nor is one that was asked for
 * before the channel listened. Each caller gets copies, so no request sees what another did to its `request.user`.
 */
export function cachedIdentityStore(options: CachedIdentityStoreOptions): CachedIdentityStore {
  const { store, channel, maxIdentities = 10_000, maxStalenessMs, onState } = options
  const trust = createTrust(channel, maxStalenessMs)
  /** What is kept, by what it is forgotten by. */
  const linked = new Map<string, Set<string>>()
  const identities = createRecent<Kept>(maxIdentities, unlink)
  let current: CacheState = { state: 'closed', reason: null }
  /** Counts what the channel said, as the clock of the look-ups under way. */
  let heard = 0
  /** Answers asked for before this are not kept. */
  let flushedAt = 0
  /** When each link changed; kept while look-ups are under way. */
  const changedAt = new Map<string, number>()
  let underWay = 0
  /** Somebody was found of whom the store does not say until when. */
  let endless = false
  const counted = { recalled: 0, missed: 0, changes: 0, flushes: 0 }

  const listener: RevocationListener = {
    trusted(until) {
      trust.prove(until)
      if (current.state !== 'listening') enter({ state: 'listening', reason: null })
    },
    changed(change) {
      counted.changes++
      if (change === 'everything') forgetEverything()
      else forget(linksOf(change))
    },
    lost(reason) {
      trust.end()
      forgetEverything()
      if (current.state !== 'lost' || current.reason !== reason) enter({ state: 'lost', reason })
    }
  }

  return {
    recall(claims, bookmark, instant = performance.now()) {
      const kept = instant < trust.usedUntil ? (markedBy(bookmark) ?? lookedUp(claims, bookmark)) : undefined
      if (kept === undefined) return undefined
      if (instant >= trust.askedFrom) trust.askAhead()
      return use(kept, instant)
    },
    async find(claims) {
      const key = keyOf(claims)
      if (key !== null && performance.now() < trust.vouchedUntil && identities.find(key) !== undefined) {
        const kept = (await trust.confirm()) ? identities.find(key) : undefined
        const record = kept && use(kept, performance.now())
        if (record !== undefined) return record
      }
      // What was asked for before anybody listened may have changed unheard by the time it is answered.
      if (key === null || current.state !== 'listening') return store.find(claims)
      const asked = { at: performance.now(), heard }
      counted.missed++
      underWay++
      try {
        const record = await store.find(claims)
        trust.answered()
        if (record !== null) keep(key, record, asked)
        return record
      } catch (error) {
        trust.failed(error, asked.at)
        throw error
      } finally {
        underWay--
        if (underWay === 0) changedAt.clear()
      }
    },
    check: async () => (await store.check?.()) ?? [],
    checkChannel: async () => [...(await channel.check()), ...(endless ? [ENDLESS] : [])],
    async open() {
      await channel.open(listener)
    },
    async close() {
      await channel.close()
      trust.end()
      forgetEverything()
      enter({ state: 'closed', reason: null })
    },
    get stats() {
      const { vouchedUntil, confirmations } = trust
      return { ...current, trusted: performance.now() < vouchedUntil, kept: identities.size, confirmations, ...counted }
    }
  }

  function use(kept: Kept, instant: number): IdentityRecord | undefined {
    if (instant >= kept.until) {
      // The database decides whether it is over: its clock is the one that counts.
      identities.forget(kept)
      return undefined
    }
    kept.wasUsed = true
    counted.recalled++
    return copyOf(kept)
  }

  function lookedUp(claims: Claims, bookmark: Bookmark | null | undefined): Kept | undefined {
    const key = keyOf(claims)
    const kept = key === null ? undefined : identities.find(key)
    if (bookmark) bookmark.kept = kept ?? null
    return kept
  }

  function keep(key: string, record: IdentityRecord, asked: { at: number; heard: number }): void {
    const { user, session, sessionCount, banned, grant = null, validForMs, readTokens } = record
    if (session === null || banned) return
    if (validForMs === undefined) endless = true
    const until = asked.at + (validForMs ?? 0)
    if (performance.now() >= until || current.state !== 'listening') return
    const links = linksOf({ userIds: [user.id], sessionTokens: readTokens?.() ?? [] })
    if (flushedAt > asked.heard || links.some(link => (changedAt.get(link) ?? 0) > asked.heard)) return
    const nested = nestedFields(user)
    const copy = { user: copyOfUser(user, nested), session: copyOfSession(session), sessionCount, grant }
    identities.keep({ key, isKept: true, wasUsed: false, ...copy, nested, until, links })
    for (const link of links) {
      const keys = linked.get(link)
      if (keys === undefined) linked.set(link, new Set([key]))
      else keys.add(key)
    }
  }

  function forget(links: readonly string[]): void {
    heard++
    for (const link of links) {
      if (underWay > 0) changedAt.set(link, heard)
      // A copy: `unlink` removes from the set that is walked.
      for (const key of [...(linked.get(link) ?? [])]) {
        const kept = identities.find(key)
        if (kept !== undefined) identities.forget(kept)
      }
    }
    if (changedAt.size > MAX_REMEMBERED_CHANGES) {
      flushedAt = heard
      changedAt.clear()
    }
  }

  function forgetEverything(): void {
    counted.flushes++
    flushedAt = ++heard
    changedAt.clear()
    identities.clear()
  }

  function unlink({ links, key }: Kept): void {
    for (const link of links) {
      const keys = linked.get(link)
      keys?.delete(key)
      if (keys?.size === 0) linked.delete(link)
    }
  }

  function enter(state: CacheState): void {
    current = state
    if (states.hasSubscribers) states.publish(state)
    onState?.(state)
  }
}

/** What this store left there, if it is kept still. */
function markedBy(bookmark: Bookmark | null | undefined): Kept | undefined {
  const kept = bookmark?.kept as Kept | null | undefined
  return kept?.isKept ? kept : undefined
}

/** `null` for claims about rows of which nobody tells when they change. */
function keyOf(claims: Claims): string | null {
  switch (claims.by) {
    case 'session-token':
      return `t${claims.sessionToken}`
    case 'subject':
      return claims.sessionId === null ? `s${claims.subject}` : `i${claims.sessionId}\0${claims.subject}`
    case 'email':
      return `e${claims.email}`
    default:
      return null
  }
}

function linksOf({ userIds, sessionTokens }: Exclude<Change, 'everything'>): string[] {
  return [...userIds.map(id => `u${id}`), ...sessionTokens.map(token => `t${token}`)]
}

function copyOf({ user, session, sessionCount, grant, nested }: Kept): IdentityRecord {
  const copy = copyOfUser(user, nested)
  return { user: copy, session: copyOfSession(session), sessionCount, banned: false, grant: grant ?? null }
}
