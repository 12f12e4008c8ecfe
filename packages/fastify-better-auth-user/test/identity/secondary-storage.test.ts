import { secondaryStorageIdentityStore } from 'fastify-better-auth-user'
import { memoryIdentityStore } from 'fastify-better-auth-user/testing'
import t from 'tap'

const NOW = Date.parse('2026-05-01T12:00:00Z')
const HOUR = 3_600_000

// As a running Better Auth 1.7.7 wrote it.
const value = {
  session: {
    id: 'ses_1',
    token: 'tok_1',
    userId: 'usr_1',
    expiresAt: '2026-05-01T13:00:00.000Z',
    createdAt: '2026-05-01T11:00:00.000Z',
    updatedAt: '2026-05-01T11:00:00.000Z',
    ipAddress: '',
    userAgent: 'node'
  },
  user: {
    id: 'usr_1',
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    emailVerified: true,
    image: null,
    createdAt: '2026-04-01T00:00:00.000Z',
    updatedAt: '2026-04-01T00:00:00.000Z',
    role: 'user,admin',
    banned: false,
    banReason: null,
    banExpires: null,
    department: 'Engines'
  }
}

type Options = Partial<Parameters<typeof secondaryStorageIdentityStore>[0]>

function storeOver(entries: Record<string, unknown>, options: Options = {}) {
  const storage = { get: async (key: string) => (Object.hasOwn(entries, key) ? entries[key] : null) }
  return secondaryStorageIdentityStore({ storage, now: () => NOW, ...options })
}

const byToken = (sessionToken: string) => ({ by: 'session-token', sessionToken }) as const
const bySubject = (subject: string, sessionId: string | null = null) =>
  ({ by: 'subject', subject, sessionId, email: null }) as const
const changed = (session: object, user: object = {}) =>
  JSON.stringify({ session: { ...value.session, ...session }, user: { ...value.user, ...user } })

t.test('a session is read as Better Auth writes it', async t => {
  const store = storeOver({ tok_1: JSON.stringify(value) })
  const { readTokens, ...record } = (await store.find(byToken('tok_1'))) ?? {}
  t.same(readTokens?.(), ['tok_1'], 'what to forget it by')
  t.same(record, {
    user: {
      id: 'usr_1',
      email: 'ada@example.com',
      name: 'Ada Lovelace',
      emailVerified: true,
      image: null,
      role: 'user,admin'
    },
    session: {
      id: 'ses_1',
      userId: 'usr_1',
      expiresAt: new Date('2026-05-01T13:00:00Z'),
      createdAt: new Date('2026-05-01T11:00:00Z'),
      impersonatedBy: null,
      activeOrganizationId: null
    },
    sessionCount: 1,
    banned: false,
    validForMs: HOUR
  })
})

t.test('a client that parses JSON by itself is understood', async t => {
  const store = storeOver({ tok_1: value, 'active-sessions-usr_1': [{ token: 'tok_1', expiresAt: NOW + HOUR }] })
  t.match(await store.find(byToken('tok_1')), { session: { id: 'ses_1' } })
  t.match(await store.find(bySubject('usr_1')), { session: { id: 'ses_1' } })
  const revoked = storeOver({ tok_1: value, 'revoked-sessions-before-usr_1': NOW })
  t.match(await revoked.find(byToken('tok_1')), { session: null })
})

t.test('a session without an id, as Better Auth up to 1.5 writes it, has one that gives nothing away', async t => {
  const entries = {
    tok_1: changed({ id: undefined }),
    tok_2: changed({ id: null, token: 'tok_2' }),
    'active-sessions-usr_1': JSON.stringify(['tok_1', 'tok_2'].map(token => ({ token, expiresAt: NOW + HOUR })))
  }
  const store = storeOver(entries)
  const [first, second] = [await store.find(byToken('tok_1')), await store.find(byToken('tok_2'))]
  const id = first?.session?.id ?? ''
  t.match(id, /^[\w-]{32}$/)
  t.notOk(id.includes('tok_1'))
  t.not(second?.session?.id, id)
  t.same(await store.find(byToken('tok_1')), first, 'the same each time')
  t.match(await store.find(bySubject('usr_1', id)), { session: { id }, sessionCount: 1 })
})

t.test('keys are prefixed, and ids that are numbers become text', async t => {
  const entries = {
    'better-auth:tok_1': changed({ id: 7, userId: 1, impersonatedBy: 2, activeOrganizationId: 3 }, { id: 1 }),
    'better-auth:active-sessions-1': JSON.stringify([{ token: 'tok_1', expiresAt: NOW + HOUR }])
  }
  const store = storeOver(entries, { prefix: 'better-auth:' })
  const record = {
    user: { id: '1' },
    session: { id: '7', userId: '1', impersonatedBy: '2', activeOrganizationId: '3' }
  }
  t.match(await store.find(byToken('tok_1')), record)
  t.match(await store.find(bySubject('1', '7')), record)
  t.equal(await storeOver(entries).find(byToken('tok_1')), null)
})

t.test('the fields asked for are taken over from the copy', async t => {
  const store = storeOver({ tok_1: value }, { userFields: ['department', 'nickname', 'toString'] })
  t.match(await store.find(byToken('tok_1')), { user: { department: 'Engines', nickname: null, toString: null } })
})

t.test('expiry and ban are judged by the given clock', async t => {
  const at = (now: number, entry: unknown) => storeOver({ tok_1: entry }, { now: () => now }).find(byToken('tok_1'))
  t.match(await at(NOW + HOUR, value), { session: { id: 'ses_1' }, sessionCount: 1 }, 'valid to the very instant')
  t.match(await at(NOW + HOUR + 1, value), { user: { id: 'usr_1' }, session: null, sessionCount: 0 })
  t.match(await at(NOW, changed({}, { banned: true })), { banned: true })
  t.match(await at(NOW, changed({}, { banned: true, banExpires: '2026-05-01T12:00:00.001Z' })), { banned: true })
  t.match(await at(NOW, changed({}, { banned: true, banExpires: '2026-05-01T12:00:00.000Z' })), { banned: false })
  t.match(await at(NOW, changed({}, { banned: true, banExpires: 'some day' })), { banned: true })
  t.match(await at(NOW, changed({}, { banned: null, banExpires: '2027-01-01T00:00:00Z' })), { banned: false })
})

t.test('what cannot be read is neither an outage nor a sign-in', async t => {
  const entries: Record<string, unknown> = {
    'not JSON': 'tok_1',
    'cut off': JSON.stringify(value).slice(0, -1),
    empty: '',
    null: 'null',
    'a text': '"tok_1"',
    'a number': 7,
    true: true,
    bytes: Buffer.from(JSON.stringify(value)),
    'a list': JSON.stringify([value]),
    'no session': JSON.stringify({ user: value.user }),
    'a session of another shape': JSON.stringify({ session: 'ses_1', user: value.user }),
    'no user': JSON.stringify({ session: value.session }),
    'a removed user': JSON.stringify({ session: value.session, user: null }),
    'no user id': changed({}, { id: '' }),
    'an object as user id': changed({}, { id: { toString: 'usr_1' } }),
    'another user': changed({}, { id: 'usr_2' }),
    'no e-mail': changed({}, { email: null }),
    'an empty session id': changed({ id: '' }),
    'an object as session id': changed({ id: {} }),
    'a session of nobody': changed({ userId: null }),
    'no expiry': changed({ expiresAt: null }),
    'an expiry that is no time': changed({ expiresAt: 'tomorrow' }),
    'an expiry beyond time': changed({ expiresAt: 1e300 }),
    'another token': changed({ token: 'tok_2' }),
    'no token': changed({ token: undefined }),
    'deep nesting': '['.repeat(100_000)
  }
  for (const [why, entry] of Object.entries(entries)) {
    const store = storeOver({
      tok_1: entry,
      'active-sessions-usr_1': JSON.stringify([{ token: 'tok_1', expiresAt: NOW + HOUR }])
    })
    t.equal(await store.find(byToken('tok_1')), null, why)
    t.equal(await store.find(bySubject('usr_1')), null, `${why}, by subject`)
  }
  const lists = [
    'tok_1',
    '{}',
    'null',
    '[null, 1, "tok_1", [], {}]',
    '[{"token":"tok_1"}]',
    '[{"token":1,"expiresAt":9e15}]'
  ]
  for (const list of lists) {
    const store = storeOver({ tok_1: value, 'active-sessions-usr_1': list })
    t.equal(await store.find(bySubject('usr_1')), null, `a list of sessions reading ${list}`)
  }
})

t.test('no other key of the storage can be used as a token', async t => {
  const store = storeOver({
    'active-sessions-usr_1': JSON.stringify([{ token: 'tok_1', expiresAt: NOW + HOUR }]),
    'revoked-sessions-before-usr_1': '1',
    'verification:reset-password:1': JSON.stringify({ id: '1', value: 'usr_1', expiresAt: '2027-01-01T00:00:00Z' }),
    'backup-of-tok_1': JSON.stringify(value),
    'cart:7': JSON.stringify({ session: { ...value.session, token: undefined }, user: value.user })
  })
  for (const key of ['active-sessions-usr_1', 'revoked-sessions-before-usr_1', 'backup-of-tok_1', 'cart:7']) {
    t.equal(await store.find(byToken(key)), null, key)
  }
  t.equal(await store.find(byToken('verification:reset-password:1')), null)
})

t.test('sessions made before a revocation have ended', async t => {
  const createdAt = Date.parse(value.session.createdAt)
  const cases: [mark: unknown, createdAt: unknown, lives: boolean][] = [
    [String(createdAt - 1), value.session.createdAt, true],
    [String(createdAt), value.session.createdAt, true],
    [String(createdAt + 1), value.session.createdAt, false],
    ['0', value.session.createdAt, true],
    // What cannot be compared does not sign in.
    [String(createdAt - 1), null, false],
    ['', value.session.createdAt, false],
    ['yesterday', value.session.createdAt, false],
    ['null', value.session.createdAt, true],
    ['-1', value.session.createdAt, false],
    ['{}', value.session.createdAt, false]
  ]
  for (const [mark, createdAt, lives] of cases) {
    const store = storeOver({
      tok_1: changed({ createdAt }),
      'active-sessions-usr_1': JSON.stringify([{ token: 'tok_1', expiresAt: NOW + HOUR }]),
      'revoked-sessions-before-usr_1': mark
    })
    const expected = { user: { id: 'usr_1' }, session: lives ? { id: 'ses_1' } : null, sessionCount: lives ? 1 : 0 }
    const name = `revoked before ${mark}, created ${createdAt}`
    t.match(await store.find(byToken('tok_1')), expected, name)
    t.match(await store.find(bySubject('usr_1')), expected, `${name}, by subject`)
    t.match(await store.find(bySubject('usr_1', 'ses_1')), expected, `${name}, by session`)
  }
})

t.test('a list that names sessions of others, twice or no more lends nobody anything', async t => {
  const entry = (token: string, userId: string, expiresAt: number) =>
    JSON.stringify({
      session: { ...value.session, id: `ses_${token}`, token, userId, expiresAt: new Date(expiresAt) },
      user: { ...value.user, id: userId }
    })
  const store = storeOver({
    a: entry('a', 'usr_1', NOW + HOUR),
    b: entry('b', 'usr_2', NOW + 9 * HOUR),
    c: entry('c', 'usr_1', NOW - 1),
    'active-sessions-usr_1': JSON.stringify(
      ['a', 'a', 'b', 'c', 'gone'].map(token => ({ token, expiresAt: NOW + 9 * HOUR }))
    ),
    'active-sessions-usr_3': JSON.stringify([{ token: 'a', expiresAt: NOW + HOUR }])
  })
  t.match(await store.find(bySubject('usr_1')), { user: { id: 'usr_1' }, session: { id: 'ses_a' }, sessionCount: 1 })
  t.match(await store.find(bySubject('usr_1', 'ses_b')), { user: { id: 'usr_1' }, session: null, sessionCount: 0 })
  t.equal(await store.find(bySubject('usr_3')), null)
})

t.test('of very many sessions the longest-lived are read first, and only as many as needed', async t => {
  const entries: Record<string, unknown> = {}
  const list = Array.from({ length: 1000 }, (_, index) => ({ token: `t${index}`, expiresAt: NOW + index }))
  for (const { token, expiresAt } of list) {
    entries[token] = changed({ id: `ses_${token}`, token, expiresAt: new Date(expiresAt) })
  }
  entries['active-sessions-usr_1'] = JSON.stringify(list)
  let reads = 0
  const storage = {
    async get(key: string) {
      reads++
      return entries[key] ?? null
    }
  }
  const store = secondaryStorageIdentityStore({ storage, now: () => NOW })
  t.match(await store.find(bySubject('usr_1')), { session: { id: 'ses_t999' }, sessionCount: 100 })
  t.ok(reads <= 102, `${reads} reads`)
  t.match(await store.find(bySubject('usr_1', 'ses_t0')), { session: { id: 'ses_t0' }, sessionCount: 1 })
})

t.test('with a user store, what it says of the user counts', async t => {
  const users = memoryIdentityStore({ now: () => NOW })
  users.addUser({ id: 'usr_1', email: 'ada@new.example', role: 'admin' })
  users.addUser({ id: 'usr_2', email: 'bob@example.com' })
  // A session the user store happens to know is none of ours.
  users.addSession('usr_2')
  const list = JSON.stringify([{ token: 'tok_1', expiresAt: NOW + HOUR }])
  const store = storeOver({ tok_1: value, 'active-sessions-usr_1': list }, { users })
  const fresh = { user: { email: 'ada@new.example', role: 'admin' }, session: { id: 'ses_1' }, banned: false }
  t.match(await store.find(byToken('tok_1')), fresh)
  t.match(await store.find(bySubject('usr_1')), fresh)
  t.match(await store.find({ by: 'email', email: 'ada@new.example' }), fresh)
  t.equal(await store.find({ by: 'email', email: 'ada@example.com' }), null, 'the old address is nobody’s')
  t.match(await store.find(bySubject('usr_2')), { user: { id: 'usr_2' }, session: null, sessionCount: 0 })
  users.ban('usr_1')
  t.match(await store.find(byToken('tok_1')), { banned: true })
  users.removeUser('usr_1')
  t.equal(await store.find(byToken('tok_1')), null)
  t.equal(await store.find(bySubject('usr_1')), null)
  users.failWith(new Error('the database is away'))
  for (const claims of [byToken('tok_1'), bySubject('usr_1'), { by: 'email', email: 'a@b.c' } as const]) {
    await t.rejects(store.find(claims), { message: 'the database is away' })
  }
  t.same(await store.check?.(), ['the database is away. End it with failWith(null).'])
})

t.test('a storage that fails or keeps silent is an outage', async t => {
  const failing = { get: async () => Promise.reject(new Error('Connection is closed.')) }
  const throwing = {
    get(): unknown {
      throw new Error('Connection is closed.')
    }
  }
  const silent = { get: () => new Promise(() => {}) }
  for (const claims of [byToken('tok_1'), bySubject('usr_1')]) {
    for (const storage of [failing, throwing]) {
      await t.rejects(secondaryStorageIdentityStore({ storage }).find(claims), { message: 'Connection is closed.' })
    }
    await t.rejects(secondaryStorageIdentityStore({ storage: silent, timeoutMs: 20 }).find(claims), {
      message: 'the secondary storage did not answer within 20 ms'
    })
  }
  t.same(await secondaryStorageIdentityStore({ storage: failing }).check?.(), [
    'The secondary storage cannot be read (Connection is closed.): start it, or correct its address.'
  ])
  t.same(await secondaryStorageIdentityStore({ storage: silent, timeoutMs: 20 }).check?.(), [
    'The secondary storage cannot be read (it did not answer within 20 ms): start it, or correct its address.'
  ])
  t.same(await storeOver({}).check?.(), [])
})

t.test('an outage is told without the token it was met with', async t => {
  const storage = {
    get: async (key: string) =>
      Promise.reject(new Error(`ERR max requests limit exceeded, command was: ["get","${key}"]`))
  }
  const store = secondaryStorageIdentityStore({ storage, prefix: 'better-auth:' })
  await t.rejects(store.find(byToken('tok_1')), {
    message: 'ERR max requests limit exceeded, command was: ["get","better-auth:…"]'
  })
})

t.test('a revocation that cannot be asked for is an outage, not a sign-in', async t => {
  const storage = {
    async get(key: string) {
      if (key.startsWith('revoked-')) throw new Error('LOADING Redis is loading the dataset in memory')
      return value
    }
  }
  await t.rejects(secondaryStorageIdentityStore({ storage }).find(byToken('tok_1')), { message: /LOADING/ })
})
