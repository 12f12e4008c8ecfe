import {
  type IdentityStore,
  layeredIdentityStore,
  postgresIdentityStore,
  postgresUserStore,
  secondaryStorageIdentityStore
} from 'fastify-better-auth-user'
import { decodeJwt } from 'jose'
import t from 'tap'
import { startBetterAuth } from '../fixtures/better-auth.ts'
import { LINES } from '../fixtures/better-auth-releases.ts'
import { redisStorage } from '../fixtures/redis-better-auth.ts'
import { startRedis, withoutRedis } from '../fixtures/redis-server.ts'

const find = (store: IdentityStore, { token }: { token: string }) =>
  store.find({ by: 'session-token', sessionToken: token })

for (const line of LINES) {
  t.test(`Better Auth ${line} writes to Redis what is read from it`, { skip: withoutRedis }, async t => {
    const { client } = await startRedis(t)
    const betterAuth = await startBetterAuth(
      t,
      ({ bearer, jwt, admin }) => ({
        secondaryStorage: redisStorage(client, ''),
        plugins: [bearer(), jwt({ jwt: { definePayload: ({ session }) => ({ sid: session.id }) } }), admin()]
      }),
      { line }
    )
    const copies = secondaryStorageIdentityStore({ storage: client })
    const fresh = secondaryStorageIdentityStore({ storage: client, users: postgresUserStore(betterAuth.pool) })
    const ada = await betterAuth.signUp()
    const desk = await betterAuth.signIn('ada@example.com')
    const authorization = `Bearer ${desk.token}`
    const reply = await betterAuth.get('/get-session', { authorization })
    const { session } = (await reply.json()) as { session: { id?: string; expiresAt: string; createdAt: string } }
    t.equal(session.id === undefined, line === '1.4' || line === '1.5', 'those lines give no ids here')
    const { token: jwt } = (await (await betterAuth.get('/token', { authorization })).json()) as { token: string }
    const { sid = null } = decodeJwt<{ sid?: string }>(jwt)
    const bySession = { by: 'subject', subject: ada.user.id, sessionId: sid, email: null } as const
    for (const store of [copies, fresh]) {
      const record = {
        user: { id: ada.user.id, email: 'ada@example.com', name: 'Ada Lovelace', role: 'user' },
        session: {
          id: session.id ?? /^[\w-]{32}$/,
          expiresAt: new Date(session.expiresAt),
          createdAt: new Date(session.createdAt)
        },
        sessionCount: 1,
        banned: false
      }
      t.match(await find(store, desk), record)
      // A JWT that names no session stands for any of them.
      t.match(await store.find(bySession), sid === null ? { sessionCount: 2 } : record)
      t.match(await store.find({ ...bySession, sessionId: null }), { sessionCount: 2 })
    }
    await betterAuth.post('/sign-out', {}, { authorization })
    for (const store of [copies, fresh]) {
      t.equal(await find(store, desk), null)
      if (sid !== null) t.match(await store.find(bySession), { session: null, sessionCount: 0 })
      t.match(await store.find({ ...bySession, sessionId: null }), { sessionCount: 1 })
    }
  })
}

t.test(
  'rows that Better Auth 1.6 preserves look alive, to whoever asks the database',
  { skip: withoutRedis },
  async t => {
    const { client } = await startRedis(t)
    const betterAuth = await startBetterAuth(
      t,
      ({ bearer }) => ({
        secondaryStorage: redisStorage(client, ''),
        session: { storeSessionInDatabase: true, preserveSessionInDatabase: true },
        plugins: [bearer()]
      }),
      { line: '1.6' }
    )
    const ada = await betterAuth.signUp()
    await betterAuth.post('/sign-out', {}, { authorization: `Bearer ${ada.token}` })
    const sessions = secondaryStorageIdentityStore({ storage: client, users: postgresUserStore(betterAuth.pool) })
    t.equal(await find(sessions, ada), null)
    const layered = layeredIdentityStore(sessions, postgresIdentityStore(betterAuth.pool))
    t.match(await find(layered, ada), { sessionCount: 1 }, 'so the database is not to be layered under it there')
  }
)
