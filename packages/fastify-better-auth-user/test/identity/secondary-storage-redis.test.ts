import { setTimeout as sleep } from 'node:timers/promises'
import {
  type IdentityStore,
  layeredIdentityStore,
  postgresIdentityStore,
  postgresUserStore,
  secondaryStorageIdentityStore
} from 'fastify-better-auth-user'
import t from 'tap'
import type { SignedIn } from '../fixtures/better-auth.ts'
import { buildApp } from '../fixtures/build-app.ts'
import { keepsContract } from '../fixtures/keeps-contract.ts'
import { type RedisBetterAuth, redisHarness, startRedisBetterAuth } from '../fixtures/redis-better-auth.ts'
import { withoutRedis } from '../fixtures/redis-server.ts'
import { buildTarget } from '../fixtures/target.ts'

t.test('sessions in a real Redis, written by a real Better Auth', { skip: withoutRedis }, async t => {
  t.test('keep the contract, users known by the copies beside their sessions', async t => {
    const betterAuth = await startRedisBetterAuth(t, { keyPrefix: '' })
    const store = secondaryStorageIdentityStore({ storage: betterAuth.redis.client })
    await keepsContract(t, redisHarness(store, betterAuth, { knowsUsers: false }))
  })

  t.test('keep the contract, users asked for in Postgres, where there is no session table', async t => {
    const betterAuth = await startRedisBetterAuth(t)
    const { rows } = await betterAuth.pool.query(`select to_regclass('session') as session`)
    t.same(rows, [{ session: null }])
    await keepsContract(t, redisHarness(storeOf(betterAuth), betterAuth, { knowsUsers: true }))
  })

  t.test('end with what people do', async t => {
    const betterAuth = await startRedisBetterAuth(t)
    const store = storeOf(betterAuth)
    const { ada, admin } = await people(betterAuth)
    const headers = (who: SignedIn) => ({ authorization: `Bearer ${who.token}` })

    await t.test('sign-in, sign-out', async t => {
      const desk = await betterAuth.signIn('ada@example.com')
      const { session } = (await (await betterAuth.get('/get-session', headers(desk))).json()) as {
        session: { id: string }
      }
      t.match(await find(store, desk), { user: { id: ada.user.id, name: 'Ada Lovelace' }, session: { id: session.id } })
      await betterAuth.post('/sign-out', {}, headers(desk))
      t.equal(await find(store, desk), null)
      t.match(await find(store, ada), { sessionCount: 1 }, 'the other one lives')
    })

    await t.test('revocation of one, and of all others', async t => {
      const [desk, phone] = [await betterAuth.signIn('ada@example.com'), await betterAuth.signIn('ada@example.com')]
      await betterAuth.post('/revoke-session', { token: desk.token }, headers(ada))
      t.equal(await find(store, desk), null)
      t.match(await find(store, phone), { sessionCount: 1 })
      await betterAuth.post('/revoke-other-sessions', {}, headers(ada))
      t.equal(await find(store, phone), null)
      t.match(await find(store, ada), { sessionCount: 1 })
    })

    await t.test('a change of the password, as its form says', async t => {
      const desk = await betterAuth.signIn('ada@example.com')
      const change = { currentPassword: 'correct horse battery', newPassword: 'correct horse battery' }
      await betterAuth.post('/change-password', change, headers(desk))
      t.match(await find(store, ada), { sessionCount: 1 }, 'others go on')
      const reply = await betterAuth.post('/change-password', { ...change, revokeOtherSessions: true }, headers(desk))
      const { token } = (await reply.json()) as { token: string }
      t.equal(await find(store, ada), null)
      t.equal(await find(store, desk), null)
      t.match(await find(store, { token }), { user: { id: ada.user.id }, sessionCount: 1 })
      t.match(await subject(store, ada), { sessionCount: 1 })
    })

    await t.test('a ban, by an administrator or by SQL, and its end', async t => {
      const before = await betterAuth.signIn('ada@example.com')
      await betterAuth.post('/admin/ban-user', { userId: ada.user.id, banExpiresIn: 3600 }, headers(admin))
      t.equal(await find(store, before), null, 'her sessions are ended')
      t.match(await subject(store, ada), { session: null, sessionCount: 0, banned: true })
      await betterAuth.post('/admin/unban-user', { userId: ada.user.id }, headers(admin))
      const after = await betterAuth.signIn('ada@example.com')
      t.match(await find(store, after), { banned: false })
      await betterAuth.pool.query(`update "user" set banned = true where id = $1`, [ada.user.id])
      t.match(await find(store, after), { banned: true })
      const copies = secondaryStorageIdentityStore({ storage: betterAuth.redis.client, prefix: 'better-auth:' })
      t.match(await find(copies, after), { banned: false }, 'the copy in Redis has not heard of it')
      await betterAuth.pool.query(`update "user" set "banExpires" = now() - interval '1 s' where id = $1`, [
        ada.user.id
      ])
      t.match(await find(store, after), { banned: false })
    })

    await t.test('a role, at once', async t => {
      const desk = await betterAuth.signIn('ada@example.com')
      const copies = secondaryStorageIdentityStore({ storage: betterAuth.redis.client, prefix: 'better-auth:' })
      await betterAuth.post('/admin/set-role', { userId: ada.user.id, role: ['admin', 'user'] }, headers(admin))
      for (const one of [store, copies]) t.match(await find(one, desk), { user: { role: 'admin,user' } })
      await betterAuth.pool.query(`update "user" set role = 'user' where id = $1`, [ada.user.id])
      t.match(await find(store, desk), { user: { role: 'user' } })
      t.match(await find(copies, desk), { user: { role: 'admin,user' } }, 'the copy in Redis has not heard of it')
    })

    await t.test('impersonation shows who is behind it', async t => {
      const reply = await betterAuth.post('/admin/impersonate-user', { userId: ada.user.id }, headers(admin))
      const { session } = (await reply.json()) as { session: { token: string } }
      t.match(await find(store, session), {
        user: { id: ada.user.id },
        session: { userId: ada.user.id, impersonatedBy: admin.user.id }
      })
    })

    await t.test('removal of the user', async t => {
      const desk = await betterAuth.signIn('ada@example.com')
      await betterAuth.post('/admin/remove-user', { userId: ada.user.id }, headers(admin))
      t.equal(await find(store, desk), null)
      t.equal(await subject(store, ada), null)
    })
  })

  t.test('end with their time', async t => {
    const betterAuth = await startRedisBetterAuth(t, { session: { expiresIn: 3 } })
    const { token, user } = await betterAuth.signUp()
    const early = secondaryStorageIdentityStore({
      storage: betterAuth.redis.client,
      prefix: 'better-auth:',
      now: () => Date.now() + 3000
    })
    t.match(await find(early, { token }), { user: { id: user.id }, session: null }, 'while Redis still has it')
    t.match(await find(storeOf(betterAuth), { token }), { sessionCount: 1 })
    await sleep(3100)
    t.equal(await betterAuth.redis.client.get(`better-auth:${token}`), null, 'Redis has forgotten it')
    t.equal(await find(storeOf(betterAuth), { token }), null)
    t.match(await subject(storeOf(betterAuth), { user }), { session: null, sessionCount: 0 })
  })

  t.test('serve requests, by token, cookie and JWT', async t => {
    const betterAuth = await startRedisBetterAuth(t)
    const { ada } = await people(betterAuth)
    const app = await buildApp(t, betterAuth.connectionString, {
      identityStore: storeOf(betterAuth),
      keySet: { source: `${betterAuth.url}/api/auth/jwks`, issuer: betterAuth.url, audience: betterAuth.url }
    })
    const desk = await betterAuth.signIn('ada@example.com')
    const reply = await betterAuth.get('/token', { authorization: `Bearer ${desk.token}` })
    const { token: jwt } = (await reply.json()) as { token: string }
    const ask = (headers: Record<string, string>) => app.inject({ url: '/', headers })
    const credentials: Record<string, string>[] = [
      { authorization: `Bearer ${desk.token}` },
      { authorization: `Bearer ${desk.signedToken}` },
      { cookie: desk.cookie },
      { authorization: `Bearer ${jwt}` }
    ]
    for (const headers of credentials) {
      const { id } = (await find(storeOf(betterAuth), desk))?.session ?? {}
      t.match((await ask(headers)).json(), { user: { id: ada.user.id }, session: { id } })
    }

    await betterAuth.post('/sign-out', {}, { authorization: `Bearer ${desk.token}` })
    t.equal((await ask({ authorization: `Bearer ${desk.token}` })).statusCode, 401)
    const late = await ask({ authorization: `Bearer ${jwt}` })
    t.equal(late.statusCode, 404, 'the JWT names its session, which is over though another lives')
    t.match(late.json(), { code: 'FST_BAU_NO_ACTIVE_SESSION' })

    await betterAuth.redis.stop()
    for (const headers of [{ authorization: `Bearer ${ada.token}` }, { authorization: `Bearer ${jwt}` }]) {
      t.equal((await ask(headers)).statusCode, 503, 'an outage sends nobody away')
    }
    t.equal((await app.inject('/health')).statusCode, 200)
    await betterAuth.redis.start()
    t.equal((await ask({ authorization: `Bearer ${ada.token}` })).statusCode, 401, 'a new Redis knows nobody')
    const again = await betterAuth.signIn('ada@example.com')
    t.equal((await ask({ authorization: `Bearer ${again.token}` })).statusCode, 200)
  })

  t.test('whatever is wrong there, no token is logged, and a key that holds something else is no outage', async t => {
    const betterAuth = await startRedisBetterAuth(t)
    const { ada } = await people(betterAuth)
    const { client } = betterAuth.redis
    const log: string[] = []
    const app = await buildTarget(t, betterAuth.connectionString, { identityStore: storeOf(betterAuth) }, { log })
    const ask = async (token: string) =>
      (await app.inject({ url: '/me', headers: { authorization: `Bearer ${token}` } })).statusCode
    t.equal(await ask(ada.token), 200)
    await client.rpush('better-auth:queue', 'a job')
    t.equal(await ask('queue'), 401)
    await client.rpush(`better-auth:revoked-sessions-before-${ada.user.id}`, 'not a mark')
    t.equal(await ask(ada.token), 401, 'a mark that cannot be read ends all sessions')
    await client.call('ACL', 'SETUSER', 'default', '-get')
    t.equal(await ask(ada.token), 503)
    t.match(log.join(''), /NOPERM/, 'what is wrong is told')
    t.notOk(log.join('').includes(ada.token))
  })

  t.test('layered with the database that holds them too', async t => {
    const betterAuth = await startRedisBetterAuth(t, { session: { storeSessionInDatabase: true } })
    const { ada } = await people(betterAuth)
    const database = postgresIdentityStore(betterAuth.pool)
    const store = layeredIdentityStore(storeOf(betterAuth), database)
    t.match(await find(store, ada), { user: { id: ada.user.id }, sessionCount: 1 })

    await t.test('what Redis has lost is found in the database, as Better Auth does', async t => {
      const before = await find(database, ada)
      await betterAuth.redis.client.flushall()
      t.same(await find(store, ada), before)
      const reply = await betterAuth.get('/get-session', { authorization: `Bearer ${ada.token}` })
      t.match(await reply.json(), { session: { token: ada.token } })
    })

    await t.test('what was revoked is revoked in both', async t => {
      const desk = await betterAuth.signIn('ada@example.com')
      await betterAuth.post('/sign-out', {}, { authorization: `Bearer ${desk.token}` })
      t.equal(await find(store, desk), null)
    })

    await t.test('a Redis that is down is an outage, and nothing to fall through', async t => {
      const desk = await betterAuth.signIn('ada@example.com')
      await betterAuth.redis.stop()
      t.match(await find(database, desk), { sessionCount: 1 }, 'the database would have known')
      await t.rejects(find(store, desk))
      t.match(await store.check?.(), [/^The secondary storage cannot be read /])
      await betterAuth.redis.start()
      t.match(await find(store, desk), { sessionCount: 1 })
      t.same(await store.check?.(), [])
    })
  })

  t.test('rows preserved in the database revive nobody', async t => {
    const session = { storeSessionInDatabase: true, preserveSessionInDatabase: true }
    const betterAuth = await startRedisBetterAuth(t, { session })
    const { ada } = await people(betterAuth)
    await betterAuth.post('/sign-out', {}, { authorization: `Bearer ${ada.token}` })
    const { rows } = await betterAuth.pool.query(`select 1 from "session" where token = $1`, [ada.token])
    t.equal(rows.length, 1, 'the row is still there')
    t.equal(await find(storeOf(betterAuth), ada), null)
    t.match(await find(layeredIdentityStore(storeOf(betterAuth), postgresIdentityStore(betterAuth.pool)), ada), {
      session: null
    })
  })
})

/** Sessions from Redis, users from Postgres. */
function storeOf({ redis, pool }: RedisBetterAuth): IdentityStore {
  return secondaryStorageIdentityStore({
    storage: redis.client,
    prefix: 'better-auth:',
    users: postgresUserStore(pool)
  })
}

async function people(betterAuth: RedisBetterAuth) {
  const ada = await betterAuth.signUp('Ada Lovelace')
  const { user } = await betterAuth.signUp('Grace Hopper')
  await betterAuth.pool.query(`update "user" set role = 'admin' where id = $1`, [user.id])
  return { ada, admin: await betterAuth.signIn('grace@example.com') }
}

function find(store: IdentityStore, { token }: { token: string }) {
  return store.find({ by: 'session-token', sessionToken: token })
}

function subject(store: IdentityStore, { user }: { user: { id: string } }) {
  return store.find({ by: 'subject', subject: user.id, sessionId: null, email: null })
}
