import type { IdentityRecord } from './identity-store.ts'

/**
 * Why this user may not act although the credential is good, or `null`.
 * Better Auth itself asks only when a session is made, so a ban written to the database would otherwise wait for the
 * session's end.
 */
export function objectionTo(record: IdentityRecord): 'banned' | null {
  return record.banned ? 'banned' : null
}
