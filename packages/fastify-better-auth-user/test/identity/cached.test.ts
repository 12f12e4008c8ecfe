import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Claims,
  cachedIdentityStore,
  type IdentityRecord,
  type IdentityStore,
  type RevocationListener
} from 'fastify-better-auth-user'
import { type MemoryIdentityStore, memoryIdentityStore } from 'fastify-better-auth-user/testing'
import t from 'tap'
import { keepsContract } from '../fixtures/keeps-contract.ts'
import { memoryHarness } from '../fixtures/memory-harness.ts'

const FOREVER = Number.POSITIVE_INFINITY

/** A cache around a store in memory, and the end of the channel that a test speaks into. */
async function openCache(
  t: Test,
  store: IdentityStore = memoryIdentityStore(),
  { confirm, ...limits }: { maxIdentities?: number; maxStalenessMs?: number; confirm?: () => Promise<void> } = {}
) {
  let listener: RevocationListener | null = null
  const asked: Claims[] = []
  let pause: Promise<void> | null = null
  const cache = cachedIdentityStore({
    store: {
      async find(claims) {
        asked.push(claims)
        const held = pause
        const record = await store.find(claims)
        await held
        return record
      }
    },
    channel: {
      open: async one => {
        listener = one
      },
      close: async () => {},
      check: async () => [],
      ...(confirm && { confirm })
    },
    ...limits
  })
  await cache.open()
  t.teardown(() => cache.close())
  const channel = listener as RevocationListener | null
  if (channel === null) throw new Error('the cache did not open its channel')
  return {
    cache,
    channel,
    asked,
    /** As the plugin asks: what is known first. */
    find: async (claims: Claims) => cache.recall?.(claims) ?? (await cache.find(claims)),
    /** Answers are held back until the function returned is called; with an error, they never come. */
    hold() {
      let settle = (_error?: Error) => {}
      pause = new Promise((resolve, reject) => {
        settle = error => (error === undefined ? resolve() : reject(error))
      })
      return (error?: Error) => {
        pause = null
        settle(error)
      }
    },
    changed: (...userIds: string[]) => channel.changed({ userIds, sessionTokens: [] })
  }
}

type Test = { teardown(end: () => Promise<void>): void }

const byToken = (sessionToken: string): Claims => ({ by: 'session-token', sessionToken })
const bySubject = (subject: string, sessionId: string | null = null): Claims => ({
  by: 'subject',
  subject,
  sessionId,
  email: null
})

function signedIn(store: MemoryIdentityStore) {
  const user = store.addUser()
  return { user, session: store.addSession(user.id) }
}

t.test('a cache whose channel tells of each change keeps the contract of every store', async t => {
  const harness = memoryHarness()
  const { channel, find, cache } = await openCache(t, harness.store)
  channel.trusted(FOREVER)
  const tell = async <Result>(result: Promise<Result>, ...userIds: string[]) => {
    const settled = await result
    channel.changed({ userIds, sessionTokens: [] })
    return settled
  }
  const owners = new Map<string, string>()
  await keepsContract(t, {
    ...harness,
    store: { find },
    addSession: async session => {
      const added = await tell(harness.addSession(session), session.userId)
      owners.set(added.token, session.userId)
      return added
    },
    endSession: session => tell(harness.endSession(session), owners.get(session.token) ?? ''),
    ban: (userId, seconds) => tell(harness.ban(userId, seconds), userId),
    removeUser: userId => tell(harness.removeUser(userId), userId)
  })
  t.ok(cache.stats.missed > 20, 'the cache was asked')
})

t.test('an identity is looked up once, until its user changes', async t => {
  const store = memoryIdentityStore()
  const { user, session } = signedIn(store)
  const other = signedIn(store)
  const { channel, asked, find, changed, cache } = await openCache(t, store)
  channel.trusted(FOREVER)
  const ways = [
    byToken(session.token),
    bySubject(user.id),
    bySubject(user.id, session.id),
    { by: 'email', email: user.email } as const
  ]
  for (const claims of [...ways, ...ways]) t.match(await find(claims), { user: { id: user.id } })
  await find(byToken(other.session.token))
  t.equal(asked.length, ways.length + 1, 'each way of naming it once')
  changed('somebody else')
  for (const claims of ways) await find(claims)
  t.equal(asked.length, ways.length + 1, 'the change of another user')
  store.revoke(session.token)
  changed(user.id)
  t.match(await find(byToken(session.token)), null)
  t.match(await find(bySubject(user.id)), { session: null })
  await find(byToken(other.session.token))
  t.equal(asked.length, ways.length + 3, 'and nobody else was forgotten')
  t.match(cache.stats, { state: 'listening', trusted: true, changes: 2, recalled: 9 })
})

t.test('while the channel does not vouch for its silence, every request is looked up', async t => {
  const store = memoryIdentityStore()
  const { session } = signedIn(store)
  const { channel, asked, find, cache } = await openCache(t, store)
  const claims = byToken(session.token)
  const lookups = async () => {
    const before = asked.length
    for (let n = 0; n < 3; n++) await find(claims)
    return asked.length - before
  }
  t.equal(await lookups(), 3, 'before the first proof')
  channel.trusted(FOREVER)
  t.equal(await lookups(), 1, 'from then on')
  channel.trusted(performance.now() - 1)
  t.equal(await lookups(), 3, 'a proof is overdue')
  t.match(cache.stats, { state: 'listening', trusted: false })
  channel.trusted(FOREVER)
  t.equal(await lookups(), 0, 'it came late, but nothing was missed')
  channel.lost('The connection ended: nothing need be done.')
  t.match(cache.stats, { state: 'lost', reason: /ended/, trusted: false, kept: 0 })
  t.equal(await lookups(), 3, 'lost')
  channel.trusted(FOREVER)
  t.equal(await lookups(), 1, 'found again, and what was kept before is gone')
  channel.changed('everything')
  t.equal(await lookups(), 1)
  await cache.close()
  t.equal(await lookups(), 3, 'closed')
})

t.test('where a look-up breaks, nothing that was kept is used until the channel proves itself again', async t => {
  const store = memoryIdentityStore()
  const { session } = signedIn(store)
  const { channel, asked, find, hold, cache } = await openCache(t, store)
  const isUsed = async () => {
    const before = asked.length
    await find(byToken(session.token))
    return asked.length === before
  }
  const breakOne = async (error: Error) => {
    store.failWith(error)
    await t.rejects(find(byToken('a stranger')))
    store.failWith(null)
  }
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  channel.trusted(FOREVER)
  await isUsed()
  t.ok(await isUsed())

  await breakOne(Object.assign(new Error('character with byte sequence …'), { code: '22P05', severity: 'ERROR' }))
  t.ok(await isUsed(), 'the server was there to say so')

  await breakOne(refused)
  t.match(cache.stats, { state: 'listening', trusted: false, kept: 1 })
  t.notOk(await isUsed())
  channel.trusted(FOREVER)
  t.ok(await isUsed(), 'nothing was missed')

  await breakOne(refused)
  channel.trusted(FOREVER)
  await breakOne(Object.assign(new Error('terminating connection'), { code: '57P01', severity: 'FATAL' }))
  t.ok(await isUsed(), 'an outage of the look-ups, which the channel has outlived')
  await find(byToken('a stranger'))

  const release = hold()
  const slow = find(byToken('a stranger'))
  channel.trusted(FOREVER)
  release(new Error('it did not answer within 5000 ms'))
  await t.rejects(slow)
  t.ok(await isUsed(), 'it was asked before the last proof')
})

/** A channel's `confirm` whose answers a test gives. */
function questions() {
  const asked: { answer(): void; fail(): void }[] = []
  return {
    asked,
    confirm: () =>
      new Promise<void>((resolve, reject) => {
        asked.push({ answer: resolve, fail: () => reject(new Error('no answer')) })
      }),
    /** Until so many were asked, all but the last of which are answered. */
    async reached(count: number) {
      const end = performance.now() + 10_000
      while (asked.length < count && performance.now() < end) await sleep(1)
      t.equal(asked.length, count, `question ${count} is asked`)
      return asked[count - 1] ?? { answer() {}, fail() {} }
    }
  }
}

t.test(
  'what is kept is used when the channel has said that it told everything, asked since the request began',
  async t => {
    const store = memoryIdentityStore()
    const { user, session } = signedIn(store)
    const { asked: questionsAsked, confirm, reached } = questions()
    const { channel, asked, find, changed, cache } = await openCache(t, store, { confirm })
    const known = () => find(byToken(session.token))
    channel.trusted(FOREVER)
    await known()
    t.equal(questionsAsked.length, 0, 'nobody is asked about who is not known')

    const [first, beside] = [known(), known()]
    const one = await reached(1)
    const [late, later] = [known(), known()]
    one.answer()
    await Promise.all([first, beside])
    t.equal(asked.length, 1, 'those of one turn share a question')
    const two = await reached(2)
    two.answer()
    await Promise.all([late, later])
    t.equal(asked.length, 1, 'who came after it was asked had one of their own')
    t.match(cache.stats, { confirmations: 2, recalled: 4, missed: 1 })

    const revoked = known()
    const three = await reached(3)
    changed(user.id)
    three.answer()
    await revoked
    t.equal(asked.length, 2, 'what changed meanwhile is looked up')
  }
)

t.test('a channel that does not answer is not asked again before it has proved itself', async t => {
  const store = memoryIdentityStore()
  const { session } = signedIn(store)
  const { asked: questionsAsked, confirm, reached } = questions()
  const { channel, asked, find, cache } = await openCache(t, store, { confirm })
  const known = () => find(byToken(session.token))
  channel.trusted(FOREVER)
  await known()
  const unanswered = known()
  const one = await reached(1)
  one.fail()
  await unanswered
  await known()
  t.equal(asked.length, 3, 'both were looked up')
  t.equal(questionsAsked.length, 1)
  t.match(cache.stats, { trusted: false, kept: 1 })
  channel.trusted(FOREVER)
  const again = known()
  const two = await reached(2)
  two.answer()
  await again
  t.equal(asked.length, 3)

  const slow = known()
  const three = await reached(3)
  channel.trusted(FOREVER)
  three.fail()
  await slow
  t.match(cache.stats, { trusted: true }, 'it has proved itself since it was asked')
})

t.test(
  'where staleness is allowed the channel is asked in time, and nobody waits while its answer is young enough',
  async t => {
    const store = memoryIdentityStore()
    const { session } = signedIn(store)
    const { asked: questionsAsked, confirm, reached } = questions()
    const { channel, find, cache } = await openCache(t, store, { confirm, maxStalenessMs: 1000 })
    const claims = byToken(session.token)
    channel.trusted(FOREVER)
    await find(claims)
    t.equal(cache.recall?.(claims), undefined, 'it has never answered')
    const first = find(claims)
    const one = await reached(1)
    const askedBefore = performance.now()
    one.answer()
    await first
    t.match(cache.recall?.(claims, null, askedBefore + 400), { session: {} })
    t.equal(questionsAsked.length, 1)
    t.match(cache.recall?.(claims, null, askedBefore + 600), { session: {} }, 'half of the time has passed')
    t.match(cache.recall?.(claims, null, askedBefore + 700), { session: {} })
    t.equal(cache.recall?.(claims, null, askedBefore + 1001), undefined, 'the time has passed')
    const two = await reached(2)
    channel.trusted(performance.now() + 500)
    two.answer()
    await sleep(1)
    t.match(cache.recall?.(claims, null, askedBefore + 400), { session: {} })
    t.equal(cache.recall?.(claims, null, performance.now() + 501), undefined, 'a proof counts, too')
  }
)

t.test('staleness is for channels that can be asked', async t => {
  const [store, channel] = [
    memoryIdentityStore(),
    { open: async () => {}, close: async () => {}, check: async () => [] }
  ]
  t.throws(() => cachedIdentityStore({ store, channel, maxStalenessMs: 100 }), {
    name: 'TypeError',
    message: /confirm/
  })
  const confirm = async () => {}
  t.throws(() => cachedIdentityStore({ store, channel: { ...channel, confirm }, maxStalenessMs: -1 }), TypeError)
})

t.test('an answer is not kept when it may be old by the time it arrives', async t => {
  const store = memoryIdentityStore()
  const { user, session } = signedIn(store)
  const { channel, asked, find, hold, changed } = await openCache(t, store)
  const claims = byToken(session.token)
  const cases: [string, () => void, boolean][] = [
    ['its user changed', () => changed(user.id), false],
    ['another user changed', () => changed('another'), true],
    ['everything changed', () => channel.changed('everything'), false],
    [
      'the channel was lost and found',
      () => {
        channel.lost('gone')
        channel.trusted(FOREVER)
      },
      false
    ],
    [
      'so many changed that they are not remembered one by one',
      () => changed(...Array.from({ length: 2000 }, (_, n) => String(n))),
      false
    ]
  ]
  for (const [why, happens, kept] of cases) {
    channel.trusted(FOREVER)
    channel.changed('everything')
    const release = hold()
    const answer = find(claims)
    happens()
    release()
    t.match(await answer, { user: { id: user.id } }, 'the request itself is answered')
    const before = asked.length
    await find(claims)
    t.equal(asked.length - before, kept ? 0 : 1, why)
  }
})

t.test('an answer that was asked for before anybody listened is not kept', async t => {
  const store = memoryIdentityStore()
  const { session } = signedIn(store)
  const { channel, asked, find, hold } = await openCache(t, store)
  channel.lost('not yet')
  const release = hold()
  const answer = find(byToken(session.token))
  channel.trusted(FOREVER)
  release()
  await answer
  await find(byToken(session.token))
  t.equal(asked.length, 2)
})

t.test('a session is looked up again at the instant it expires', async t => {
  const store = memoryIdentityStore()
  const user = store.addUser()
  const { token } = store.addSession(user.id, { expiresAt: new Date(Date.now() + 300) })
  const long = store.addSession(user.id)
  const { channel, asked, find } = await openCache(t, store)
  channel.trusted(FOREVER)
  t.match(await find(byToken(token)), { session: { userId: user.id } })
  t.match(await find(bySubject(user.id)), { session: { id: long.id }, sessionCount: 2 })
  t.equal(asked.length, 2)
  await new Promise(resolve => setTimeout(resolve, 320))
  t.match(await find(byToken(token)), { session: null })
  t.match(await find(bySubject(user.id)), { sessionCount: 1 }, 'and so is what was counted with it')
})

t.test('nothing is kept of strangers, the banned, those without a session, API keys and OAuth tokens', async t => {
  const store = memoryIdentityStore()
  const banned = signedIn(store)
  store.ban(banned.user.id)
  const signedOut = store.addUser()
  const { channel, asked, find, cache } = await openCache(t, store)
  channel.trusted(FOREVER)
  const grant = { clientId: 'client', scopes: [] }
  const all: Claims[] = [
    byToken('nobody'),
    bySubject('nobody'),
    byToken(banned.session.token),
    bySubject(signedOut.id),
    { by: 'api-key', keyHash: 'hash' },
    { by: 'oauth-token', tokenHash: 'hash' },
    { by: 'oauth-grant', subject: signedOut.id, sessionId: null, grant }
  ]
  for (const claims of [...all, ...all]) await find(claims)
  t.equal(asked.length, 2 * all.length)
  t.equal(cache.stats.kept, 0)
  const session = store.addSession(signedOut.id)
  t.match(await find(bySubject(signedOut.id)), { session: { id: session.id } }, 'a sign-in counts at once')
})

t.test('no request sees what another did to its user', async t => {
  const store = memoryIdentityStore()
  const { session } = signedIn(store)
  const { channel, find } = await openCache(t, {
    find: async claims => {
      const record = await store.find(claims)
      return record && { ...record, user: Object.assign(record.user, { tags: ['a'] }) }
    }
  })
  channel.trusted(FOREVER)
  const claims = byToken(session.token)
  for (let n = 0; n < 3; n++) {
    const found = await find(claims)
    t.match(found, { user: { name: 'Ada Lovelace' }, session: { expiresAt: session.expiresAt } })
    if (found === null) return
    const { tags } = found.user as unknown as { tags: string[] }
    t.same(tags, ['a'])
    tags.push('b')
    found.user.name = 'Mallory'
    found.session?.expiresAt.setTime(0)
  }
})

t.test('a store that does not say for how long its answers hold is told of', async t => {
  const store = memoryIdentityStore()
  const { session } = signedIn(store)
  const { channel, find, cache } = await openCache(t, {
    find: async claims => {
      const { validForMs: _, ...record } = (await store.find(claims)) ?? {}
      return 'user' in record ? (record as IdentityRecord) : null
    }
  })
  channel.trusted(FOREVER)
  await find(byToken('a stranger'))
  t.same(await cache.checkChannel(), [])
  await find(byToken(session.token))
  t.equal(cache.stats.kept, 0)
  t.match(await cache.checkChannel(), [/^Not everybody is kept.*tellValidity/])
})

t.test('so many are kept and no more, and what is forgotten leaves nothing behind', async t => {
  const store = memoryIdentityStore()
  const people = Array.from({ length: 5 }, () => signedIn(store))
  const { channel, asked, find, cache, changed } = await openCache(t, store, { maxIdentities: 3 })
  channel.trusted(FOREVER)
  for (const { session } of people) await find(byToken(session.token))
  t.equal(cache.stats.kept, 3)
  const last = people.at(-1)
  const first = people[0]
  if (last === undefined || first === undefined) return
  await find(byToken(last.session.token))
  t.equal(asked.length, 5, 'the youngest is there')
  await find(byToken(first.session.token))
  t.equal(asked.length, 6, 'the oldest had given way')
  changed(...people.map(({ user }) => user.id))
  t.equal(cache.stats.kept, 0)
})

t.test('a change told by the token of a session forgets whatever was answered with that session', async t => {
  const store = memoryIdentityStore()
  const { user, session } = signedIn(store)
  const { channel, asked, find } = await openCache(t, {
    find: async claims => {
      const record = await store.find(claims)
      return record && { ...record, readTokens: () => [session.token] }
    }
  })
  channel.trusted(FOREVER)
  const both = async () => {
    await find(byToken(session.token))
    await find(bySubject(user.id))
    return asked.length
  }
  t.equal(await both(), 2)
  t.equal(await both(), 2)
  channel.changed({ userIds: [], sessionTokens: [session.token] })
  t.equal(await both(), 4)
})

t.test('a store that fails is not hidden, and leaves nothing behind', async t => {
  const store = memoryIdentityStore()
  const { session } = signedIn(store)
  const { channel, find } = await openCache(t, store)
  channel.trusted(FOREVER)
  store.failWith(new Error('away'))
  await t.rejects(find(byToken(session.token)), /away/)
  store.failWith(null)
  t.match(await find(byToken(session.token)), { session: { id: session.id } })
})
