import assert from 'node:assert/strict'
import type { Claims } from '../types.ts'
import {
  bySubject,
  HOUR,
  type IdentityStoreCase,
  present,
  session,
  user,
  withoutSession
} from './identity-store-harness.ts'

/** What every store does that can be asked by subject, or by e-mail address. */
export const subjectCases: readonly IdentityStoreCase[] = [
  {
    name: 'a subject stands for its longest-lived session',
    needs: ['subject'],
    async check(harness) {
      const { id } = await user(harness)
      await harness.addSession({ userId: id, expiresIn: HOUR })
      const longest = await harness.addSession({ userId: id, expiresIn: 3 * HOUR })
      await harness.addSession({ userId: id, expiresIn: 2 * HOUR })
      await harness.addSession({ userId: id, expiresIn: -HOUR })
      const found = present(await bySubject(harness, id))
      assert.equal(found.user.id, id)
      assert.equal(found.session?.id, longest.id)
      assert.equal(found.sessionCount, 3)
      await harness.endSession(longest)
      const next = present(await bySubject(harness, id))
      assert.equal(next.sessionCount, 2)
      assert.notEqual(next.session?.id, longest.id)
    }
  },
  {
    name: 'a subject with a session id means that session',
    needs: ['subject'],
    async check(harness) {
      const [ada, bob] = [await user(harness), await user(harness)]
      const short = await harness.addSession({ userId: ada.id, expiresIn: HOUR })
      const long = await harness.addSession({ userId: ada.id, expiresIn: 2 * HOUR })
      const his = await session(harness, bob.id)
      const found = present(await bySubject(harness, ada.id, short.id))
      assert.equal(found.session?.id, short.id)
      assert.equal(found.sessionCount, 1)
      withoutSession(await bySubject(harness, ada.id, his.id))
      withoutSession(await bySubject(harness, ada.id, ''))
      withoutSession(await bySubject(harness, ada.id, 'nothing\0of the kind'))
      withoutSession(await bySubject(harness, ada.id, short.token))
      await harness.endSession(short)
      withoutSession(await bySubject(harness, ada.id, short.id))
      assert.equal(present(await bySubject(harness, ada.id, long.id)).session?.id, long.id)
    }
  },
  {
    name: 'a subject that is nobody finds nothing',
    needs: ['subject'],
    async check(harness) {
      const { id, email } = await user(harness)
      const { token } = await session(harness, id)
      const wrong = [
        '',
        '0',
        '-1',
        '1.5',
        '999999999',
        '99999999999999999999',
        '00000000-0000-4000-8000-000000000000',
        'nobody',
        `${id} `,
        `0${id}`,
        `${id}\0`,
        'x\0y',
        '\ud800',
        "' or true --",
        '*',
        '__proto__',
        token,
        email
      ]
      for (const subject of wrong) assert.equal(await bySubject(harness, subject), null, JSON.stringify(subject))
    }
  },
  {
    name: 'a subject is banned with its user',
    needs: ['subject'],
    async check(harness) {
      const { id } = await user(harness)
      await session(harness, id)
      await harness.ban(id, HOUR)
      assert.equal(present(await bySubject(harness, id)).banned, true)
      await harness.ban(id, -HOUR)
      assert.equal(present(await bySubject(harness, id)).banned, false)
    }
  },
  {
    name: 'a user without a live session is known, or is nobody, but is not signed in',
    needs: ['subject'],
    async check(harness) {
      const { id, email } = await user(harness)
      await harness.addSession({ userId: id, expiresIn: -HOUR })
      const claims: Claims[] = [{ by: 'subject', subject: id, sessionId: null, email: null }]
      if (harness.answers.includes('email')) claims.push({ by: 'email', email })
      for (const claim of claims) {
        const found = await harness.store.find(claim)
        withoutSession(found)
        if (harness.knowsUsers) assert.equal(found?.user.id, id)
      }
    }
  },
  {
    name: 'an e-mail address finds its user and the longest-lived session',
    needs: ['email'],
    async check(harness) {
      const { id, email } = await user(harness)
      const longest = await harness.addSession({ userId: id, expiresIn: 2 * HOUR })
      await session(harness, id)
      const found = present(await harness.store.find({ by: 'email', email }))
      assert.equal(found.user.id, id)
      assert.equal(found.session?.id, longest.id)
      assert.equal(found.sessionCount, 2)
      for (const wrong of ['', '%', `x${email}`, email.slice(1), `${email}\0`, id]) {
        assert.equal(await harness.store.find({ by: 'email', email: wrong }), null, JSON.stringify(wrong))
      }
    }
  }
]
