import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { IdentityRecord, IdentityStore } from '../identity/identity-store.ts'
import type { Claims } from '../types.ts'

/** What an identity store can be asked. */
export type Question = Claims['by']

/** A store under test, and how to put users and sessions where it finds them. Times are relative: each store has a clock of its own. */
export interface IdentityStoreHarness {
  store: IdentityStore
  /** Kinds of claims the store knows about; for all others it must answer `null`. */
  answers: readonly Question[]
  /** Whether it knows users that have no session, by e-mail or as a subject. */
  knowsUsers: boolean
  /** @returns the id, which the store under test hands out as a string. */
  addUser(user: { email: string; name: string }): Promise<string>
  addSession(session: NewSession): Promise<{ id: string; token: string }>
  /** As sign-out does. */
  endSession(session: { id: string; token: string }): Promise<void>
  /** Until so many seconds from now (in the past when negative), or for good; the sessions are left as they are. */
  ban(userId: string, seconds: number | null): Promise<void>
  removeUser(userId: string): Promise<void>
  /** All that is stored, for a comparison: looking something up must not change it. */
  contents?(): Promise<unknown>
}

export interface NewSession {
  userId: string
  /** Seconds from now; expired already when negative. */
  expiresIn: number
  impersonatedBy?: string
}

export interface IdentityStoreCase {
  name: string
  /** Kinds of claims the case is about: to be run when the store answers them all. */
  needs: readonly Question[]
  /** @throws AssertionError when the store does otherwise. */
  check(harness: IdentityStoreHarness): Promise<void>
}

/** In seconds. */
export const HOUR = 3600

export async function user(harness: IdentityStoreHarness, name = 'Ada Lovelace') {
  const email = `${randomBytes(8).toString('hex')}@example.com`
  return { id: await harness.addUser({ email, name }), email }
}

export function session(harness: IdentityStoreHarness, userId: string) {
  return harness.addSession({ userId, expiresIn: HOUR })
}

export function byToken({ store }: IdentityStoreHarness, sessionToken: string) {
  return store.find({ by: 'session-token', sessionToken })
}

export function bySubject({ store }: IdentityStoreHarness, subject: string, sessionId: string | null = null) {
  return store.find({ by: 'subject', subject, sessionId, email: null })
}

export function present(found: IdentityRecord | null): IdentityRecord {
  assert.ok(found !== null, 'nothing was found')
  return found
}

/** Stores whose sessions vanish with their expiry know less of the user than those that keep a row. */
export function withoutSession(found: IdentityRecord | null): void {
  assert.equal(found?.session ?? null, null)
  assert.equal(found?.sessionCount ?? 0, 0)
}
