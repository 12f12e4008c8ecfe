import { memoryIdentityStore } from 'fastify-better-auth-user/testing'
import t from 'tap'
import { keepsContract } from '../fixtures/keeps-contract.ts'
import { memoryHarness } from '../fixtures/memory-harness.ts'

t.test('the store in memory keeps the contract', async t => {
  await keepsContract(t, memoryHarness())
})

t.test('time is an argument', async t => {
  let now = Date.parse('2026-05-01T12:00:00Z')
  const store = memoryIdentityStore({ now: () => now })
  const ada = store.addUser()
  const { token, expiresAt } = store.addSession(ada.id)
  const find = () => store.find({ by: 'session-token', sessionToken: token })
  t.equal(expiresAt.toISOString(), '2026-05-08T12:00:00.000Z', 'a session lasts a week')
  now = expiresAt.getTime()
  t.match(await find(), { session: { userId: ada.id } }, 'valid to the very instant')
  store.ban(ada.id, new Date(now + 1))
  t.match(await find(), { banned: true })
  now += 1
  t.match(await find(), { user: { id: ada.id }, session: null, sessionCount: 0, banned: false })
})

t.test('users are as they were told to be', async t => {
  const store = memoryIdentityStore()
  t.same(store.addUser({ id: 'usr_1', name: 'Grace', role: 'admin,editor' }), {
    id: 'usr_1',
    email: 'usr_1@example.com',
    name: 'Grace',
    emailVerified: false,
    image: null,
    role: 'admin,editor'
  })
  store.addSession('usr_1', { token: 'theirs', activeOrganizationId: 'org_1' })
  store.updateUser('usr_1', { role: null })
  store.ban('usr_1')
  store.unban('usr_1')
  const found = await store.find({ by: 'session-token', sessionToken: 'theirs' })
  t.match(found, { user: { name: 'Grace', role: null }, session: { activeOrganizationId: 'org_1' }, banned: false })
  // What a caller does to its answer is the caller's.
  Object.assign(found?.user ?? {}, { role: 'admin' })
  t.match(await store.find({ by: 'session-token', sessionToken: 'theirs' }), { user: { role: null } })
  t.throws(() => store.addSession('nobody'), { message: 'there is no user nobody: addUser() first' })
  t.throws(() => store.ban('nobody'), { message: /there is no user nobody/ })
})

t.test('API keys and OAuth tokens work while enabled and not expired', async t => {
  let now = 0
  const store = memoryIdentityStore({ now: () => now })
  const { id } = store.addUser()
  const grant = { clientId: 'cli', scopes: ['openid'] }
  store.addApiKey('sk_good', { userId: id, expiresAt: new Date(1000) })
  store.addApiKey('sk_off', { userId: id, enabled: false })
  store.addOAuthToken('opaque', { userId: id, expiresAt: new Date(1000), grant })
  // printf %s <text> | openssl dgst -sha256 -binary | basenc --base64url | tr -d =
  const good = { by: 'api-key', keyHash: 'L6yEpsGTwfIpl0-CAdJ8-91z1MF-W8qj2iy4ieGbb9I' } as const
  const off = { by: 'api-key', keyHash: 'wIKFdYini5QS67pXtjdeWGb_5_LxfXouQCNc--rbNXM' } as const
  const opaque = { by: 'oauth-token', tokenHash: 'bSKYhMEmi7CrMtjaMV0P5S-RRyKL2DCje8n7KKlUlA0' } as const
  t.match(await store.find(good), { user: { id }, session: null, sessionCount: 0 })
  t.match(await store.find(opaque), { user: { id }, session: null, grant })
  t.equal(await store.find(off), null)
  t.equal(await store.find({ ...good, keyHash: 'sk_good' }), null)
  now = 1001
  t.equal(await store.find(good), null)
  t.equal(await store.find(opaque), null)
  now = 0
  store.removeUser(id)
  t.equal(await store.find(good), null)
})

t.test('keys are of a configuration, tokens for a resource, grants of a session', async t => {
  const store = memoryIdentityStore()
  const { id } = store.addUser()
  const session = store.addSession(id)
  const grant = { clientId: 'cli', scopes: [] }
  store.addApiKey('sk_good', { userId: id, configId: 'staff' })
  store.addOAuthToken('opaque', { userId: id, expiresAt: session.expiresAt, grant, resources: ['https://a.example'] })
  const key = { by: 'api-key', keyHash: 'L6yEpsGTwfIpl0-CAdJ8-91z1MF-W8qj2iy4ieGbb9I' } as const
  t.match(await store.find(key), { user: { id } })
  t.match(await store.find({ ...key, configIds: ['default', 'staff'] }), { user: { id } })
  t.equal(await store.find({ ...key, configIds: ['default'] }), null)
  const token = { by: 'oauth-token', tokenHash: 'bSKYhMEmi7CrMtjaMV0P5S-RRyKL2DCje8n7KKlUlA0' } as const
  t.equal(await store.find(token), null)
  t.equal(await store.find({ ...token, audience: ['https://b.example'] }), null)
  t.match(await store.find({ ...token, audience: ['https://a.example'] }), { user: { id }, grant })
  const granted = { by: 'oauth-grant', subject: id, sessionId: session.id, grant } as const
  t.match(await store.find(granted), { session: { id: session.id }, sessionCount: 1, grant })
  t.match(await store.find({ ...granted, sessionId: null }), { session: null, sessionCount: 0, grant })
  t.equal(await store.find({ ...granted, subject: 'nobody' }), null)
  store.revoke(session.token)
  t.equal(await store.find(granted), null)
})

t.test('an outage can be played', async t => {
  const store = memoryIdentityStore()
  store.failWith(new Error('the database is away'))
  await t.rejects(store.find({ by: 'email', email: 'a@example.com' }), { message: 'the database is away' })
  t.same(await store.check?.(), ['the database is away. End it with failWith(null).'])
  store.failWith(null)
  t.equal(await store.find({ by: 'email', email: 'a@example.com' }), null)
  t.same(await store.check?.(), [])
})
