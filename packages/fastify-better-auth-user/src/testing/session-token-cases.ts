import assert from 'node:assert/strict'
import {
  bySubject,
  byToken,
  HOUR,
  type IdentityStoreCase,
  present,
  session,
  user,
  withoutSession
} from './identity-store-harness.ts'

/** What every store does that can be asked by session token. */
export const sessionTokenCases: readonly IdentityStoreCase[] = [
  {
    name: 'a session token finds its user and session',
    needs: ['session-token'],
    async check(harness) {
      const ada = await user(harness, 'Ada Lovelace')
      const admin = await user(harness, 'Grace Hopper')
      const session = await harness.addSession({ userId: ada.id, expiresIn: HOUR, impersonatedBy: admin.id })
      const found = present(await byToken(harness, session.token))
      assert.equal(found.user.id, ada.id)
      assert.equal(found.user.email, ada.email)
      assert.equal(found.user.name, 'Ada Lovelace')
      assert.equal(found.banned, false)
      assert.equal(found.sessionCount, 1)
      assert.equal(found.session?.id, session.id)
      assert.equal(found.session?.userId, ada.id)
      assert.equal(found.session?.impersonatedBy, admin.id)
      assert.ok(found.session.expiresAt instanceof Date)
      // A time zone mistaken anywhere would be off by at least half an hour.
      const lasts = found.session.expiresAt.getTime() - Date.now()
      assert.ok(Math.abs(lasts - HOUR * 1000) < 60_000, `lasts ${lasts} ms, not an hour`)
      const { createdAt } = found.session
      assert.ok(createdAt instanceof Date && Math.abs(createdAt.getTime() - Date.now()) < 60_000, 'made just now')
    }
  },
  {
    name: 'values are what the types say, and the token is not among them',
    needs: ['session-token'],
    async check(harness) {
      const ada = await user(harness)
      const { token } = await harness.addSession({ userId: ada.id, expiresIn: HOUR })
      const found = present(await byToken(harness, token))
      assert.equal(typeof found.user.id, 'string')
      assert.equal(typeof found.user.emailVerified, 'boolean')
      assert.equal(typeof found.session?.id, 'string')
      assert.equal(found.session?.impersonatedBy, null)
      assert.equal(found.session.activeOrganizationId, null)
      for (const value of [found.user.image, found.user.role]) assert.ok(value === null || typeof value === 'string')
      assert.ok(!JSON.stringify(found).includes(token))
    }
  },
  {
    name: 'a session token nobody holds finds nothing',
    needs: ['session-token'],
    async check(harness) {
      const { id } = await user(harness)
      const { token } = await harness.addSession({ userId: id, expiresIn: HOUR })
      const near = [token.slice(0, -1), `${token}x`, swapCase(token), ` ${token}`, `${token}%00`]
      const odd = [
        '',
        ' ',
        'nobody',
        'x\0y',
        `${token}\0`,
        'ä€😀',
        '\ud800',
        "' or true --",
        '%',
        '__proto__',
        '{}',
        'null'
      ]
      const keys = [id, `active-sessions-${id}`, `revoked-sessions-before-${id}`, 'x'.repeat(4096), 'a.b', 'a\r\nb: c']
      for (const wrong of [...near, ...odd, ...keys]) {
        assert.equal(await byToken(harness, wrong), null, JSON.stringify(wrong))
      }
    }
  },
  {
    name: 'an expired session is no session',
    needs: ['session-token'],
    async check(harness) {
      const { id } = await user(harness)
      for (const expiresIn of [-1, -HOUR, -12 * HOUR]) {
        const { token } = await harness.addSession({ userId: id, expiresIn })
        withoutSession(await byToken(harness, token))
      }
    }
  },
  {
    name: 'sessions end one by one, at once',
    needs: ['session-token'],
    async check(harness) {
      const { id } = await user(harness)
      const [phone, desk] = [await session(harness, id), await session(harness, id)]
      await harness.endSession(phone)
      withoutSession(await byToken(harness, phone.token))
      assert.equal(present(await byToken(harness, desk.token)).session?.id, desk.id)
      await harness.endSession(desk)
      withoutSession(await byToken(harness, desk.token))
    }
  },
  {
    name: 'a ban is seen at once, and only until its end',
    needs: ['session-token'],
    async check(harness) {
      const bans: [seconds: number | null, banned: boolean][] = [
        [null, true],
        [HOUR, true],
        [-1, false],
        [-9 * HOUR, false]
      ]
      for (const [seconds, banned] of bans) {
        const { id } = await user(harness)
        const { token } = await session(harness, id)
        assert.equal(present(await byToken(harness, token)).banned, false)
        await harness.ban(id, seconds)
        assert.equal(present(await byToken(harness, token)).banned, banned, `until ${seconds} s from now`)
      }
    }
  },
  {
    name: 'who was removed is found no more, and nobody else is lost',
    needs: ['session-token'],
    async check(harness) {
      const [ada, bob] = [await user(harness), await user(harness)]
      const [hers, his] = [await session(harness, ada.id), await session(harness, bob.id)]
      await harness.removeUser(ada.id)
      assert.equal(await byToken(harness, hers.token), null)
      assert.equal(present(await byToken(harness, his.token)).user.id, bob.id)
      if (harness.answers.includes('subject')) assert.equal(await bySubject(harness, ada.id), null)
      if (harness.answers.includes('email'))
        assert.equal(await harness.store.find({ by: 'email', email: ada.email }), null)
    }
  },
  {
    name: 'callers at the same time each get their own answer',
    needs: ['session-token'],
    async check(harness) {
      const people = await Promise.all(Array.from({ length: 5 }, () => user(harness)))
      const tokens = await Promise.all(people.map(async ({ id }) => (await session(harness, id)).token))
      const order = Array.from({ length: 25 }, (_, index) => (index * 7) % 5)
      const found = await Promise.all(order.map(index => byToken(harness, tokens[index] ?? '')))
      assert.deepEqual(
        found.map(record => record?.user.id),
        order.map(index => people[index]?.id)
      )
    }
  }
]

function swapCase(text: string): string {
  return [...text]
    .map(letter => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()))
    .join('')
}
