import assert from 'node:assert/strict'
import type { Claims } from '../types.ts'
import { bySubject, byToken, HOUR, type IdentityStoreCase, session, user } from './identity-store-harness.ts'
import { sessionTokenCases } from './session-token-cases.ts'
import { subjectCases } from './subject-cases.ts'

/**
 * What every identity store does. Data over `node:assert`, so that any test runner can run it:
 *
 * ```ts
 * for (const { name, needs, check } of identityStoreContract) {
 *   if (needs.every(need => harness.answers.includes(need))) test(name, () => check(harness))
 * }
 * ```
 */
export const identityStoreContract: readonly IdentityStoreCase[] = [
  ...sessionTokenCases,
  ...subjectCases,
  {
    name: 'looking changes nothing',
    needs: [],
    async check(harness) {
      const { id, email } = await user(harness)
      const live = await session(harness, id)
      const dead = await harness.addSession({ userId: id, expiresIn: -HOUR })
      const before = await harness.contents?.()
      for (const { token } of [live, dead]) await byToken(harness, token)
      await bySubject(harness, id)
      await bySubject(harness, id, live.id)
      await harness.store.find({ by: 'email', email })
      assert.deepEqual(await harness.contents?.(), before)
    }
  },
  {
    name: 'claims it cannot know about find nothing',
    needs: [],
    async check(harness) {
      const { id, email } = await user(harness)
      const { token } = await session(harness, id)
      const questions: Claims[] = [
        { by: 'session-token', sessionToken: token },
        { by: 'subject', subject: id, sessionId: null, email },
        { by: 'email', email }
      ]
      for (const claims of questions) {
        const found = await harness.store.find(claims)
        if (harness.answers.some(known => known === claims.by)) assert.equal(found?.user.id, id, claims.by)
        else assert.equal(found, null, claims.by)
      }
      // A store that knows these has tables for them, which this suite does not fill.
      const others: Claims[] = [
        { by: 'api-key', keyHash: token },
        { by: 'oauth-token', tokenHash: token },
        { by: 'oauth-grant', subject: id, sessionId: null, grant: { clientId: token, scopes: [] } }
      ]
      for (const claims of others.filter(({ by }) => !harness.answers.includes(by))) {
        assert.equal(await harness.store.find(claims), null, claims.by)
      }
    }
  },
  {
    name: 'a store that works says so',
    needs: [],
    async check(harness) {
      await user(harness)
      assert.deepEqual((await harness.store.check?.()) ?? [], [])
    }
  }
]
