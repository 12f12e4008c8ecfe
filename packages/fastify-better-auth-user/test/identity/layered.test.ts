import { type IdentityStore, layeredIdentityStore } from 'fastify-better-auth-user'
import { memoryIdentityStore } from 'fastify-better-auth-user/testing'
import t from 'tap'
import { keepsContract } from '../fixtures/keeps-contract.ts'
import { memoryHarness } from '../fixtures/memory-harness.ts'

const find = (store: IdentityStore, sessionToken: string) => store.find({ by: 'session-token', sessionToken })

t.test('a store keeps the contract as the only layer, over and under one that knows nothing', async t => {
  const nothing: IdentityStore = { find: async () => null }
  for (const around of [(store: IdentityStore) => [store], (store: IdentityStore) => [nothing, store, nothing]]) {
    const harness = memoryHarness()
    await keepsContract(t, { ...harness, store: layeredIdentityStore(...around(harness.store)) })
  }
})

t.test('the first that knows something decides', async t => {
  const [first, second] = [memoryIdentityStore(), memoryIdentityStore()]
  const store = layeredIdentityStore(first, second)
  for (const one of [first, second]) one.addUser({ id: 'usr_1', role: one === first ? 'admin' : 'user' })

  await t.test('who is known here is not asked for there', async t => {
    first.addSession('usr_1', { token: 'here' })
    second.addSession('usr_1', { token: 'here' })
    t.match(await find(store, 'here'), { user: { role: 'admin' } })
    second.failWith(new Error('away'))
    t.match(await find(store, 'here'), { user: { role: 'admin' } })
    second.failWith(null)
  })

  await t.test('who is known only there is found there', async t => {
    second.addSession('usr_1', { token: 'there' })
    t.match(await find(store, 'there'), { user: { role: 'user' } })
    t.equal(await find(store, 'nowhere'), null)
  })

  await t.test('a session that has ended here is not revived there', async t => {
    first.addSession('usr_1', { token: 'ended', expiresAt: new Date(Date.now() - 1000) })
    second.addSession('usr_1', { token: 'ended' })
    t.match(await find(store, 'ended'), { session: null, sessionCount: 0 })
  })

  await t.test('nor is a ban', async t => {
    first.addSession('usr_1', { token: 'banned' })
    second.addSession('usr_1', { token: 'banned' })
    first.ban('usr_1')
    t.match(await find(store, 'banned'), { banned: true })
  })
})

t.test('an outage of any store that had to be asked is an outage', async t => {
  const [first, second] = [memoryIdentityStore(), memoryIdentityStore()]
  const store = layeredIdentityStore(first, second)
  second.addSession(second.addUser().id, { token: 'there' })
  first.failWith(new Error('the first is away'))
  await t.rejects(find(store, 'there'), { message: 'the first is away' }, 'the second would have known')
  t.same(await store.check?.(), ['the first is away. End it with failWith(null).'])
  first.failWith(null)
  second.failWith(new Error('the second is away'))
  await t.rejects(find(store, 'there'), { message: 'the second is away' })
  first.failWith(new Error('the first is away'))
  t.equal((await store.check?.())?.length, 2, 'each says what is wrong')
})

t.test('no layer at all is a mistake', async t => {
  t.throws(() => layeredIdentityStore(), { name: 'TypeError', message: /at least one/ })
})
