import type { IdentityStore } from './identity-store.ts'

/**
 * Asks one store, then the next, until one knows something.
 *
 * - `null` means "I know nothing of it" and passes the question on.
 * - A record is an answer and ends the search, also one without a live session: what the first store says has ended is
 *   not revived by a later one that has not heard of it yet.
 * - A throw is an outage of the whole: a session revoked in a store that is down would otherwise come back through a
 *   stale one.
 *
 * For sessions that Better Auth keeps in its secondary storage *and* in the database (`storeSessionInDatabase`), or for
 * kinds of claims that only some stores know. Sessions here and users there are no matter of layers: give the user store
 * to `secondaryStorageIdentityStore({ users })`. Beside `preserveSessionInDatabase` do not put the database second:
 * Better Auth up to 1.6 keeps the rows of revoked sessions there as if they lived.
 *
 * @throws TypeError without any store.
 */
export function layeredIdentityStore(...stores: readonly IdentityStore[]): IdentityStore {
  if (stores.length === 0) throw new TypeError('layeredIdentityStore needs at least one store')
  return {
    async find(claims) {
      for (const store of stores) {
        const record = await store.find(claims)
        if (record !== null) return record
      }
      return null
    },
    async check() {
      const problems = await Promise.all(stores.map(async store => (await store.check?.()) ?? []))
      return problems.flat()
    }
  }
}
