import { introspectionIdentityStore } from 'fastify-better-auth-user'
import t from 'tap'
import { startBetterAuth } from '../fixtures/better-auth.ts'
import { LINES } from '../fixtures/better-auth-releases.ts'

for (const line of LINES) {
  t.test(`Better Auth ${line} answers what is read`, async t => {
    const betterAuth = await startBetterAuth(t, ({ bearer }) => ({ plugins: [bearer()] }), { line })
    const { user, token } = await betterAuth.signUp()
    const store = introspectionIdentityStore({ baseURL: betterAuth.url })
    const find = () => store.find({ by: 'session-token', sessionToken: token })
    const row = async () => {
      const { rows } = await betterAuth.pool.query<{ id: string; expiresAt: Date }>(
        'select * from session where token = $1',
        [token]
      )
      return rows[0]
    }
    // Due to be prolonged: six days of its seven have gone by.
    await betterAuth.pool.query(`update session set "expiresAt" = now() + interval '1 day'`)
    const before = await row()
    t.match(await find(), {
      user: { id: user.id, email: 'ada@example.com', name: 'Ada Lovelace' },
      session: { id: before?.id, userId: user.id, expiresAt: before?.expiresAt },
      sessionCount: 1,
      banned: false
    })
    t.same(await row(), before, 'nothing was prolonged')
    await betterAuth.get('/get-session', { authorization: `Bearer ${token}` })
    t.not((await row())?.expiresAt.getTime(), before?.expiresAt.getTime(), 'where any other read would have')
    await betterAuth.post('/sign-out', {}, { authorization: `Bearer ${token}` })
    t.equal(await find(), null)
    t.same(await store.check?.(), [])
    await betterAuth.pool.query('drop table session')
    await t.rejects(find(), { message: /status 500$/ })
  })
}
