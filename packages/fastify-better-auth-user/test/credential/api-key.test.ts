import { request as httpRequest } from 'node:http'
import { apiKey } from '@better-auth/api-key'
import { admin, organization } from 'better-auth/plugins'
import { apiKey as apiKeyOf14 } from 'better-auth-1.4/plugins'
import Fastify from 'fastify'
import betterAuthUser, {
  layeredIdentityStore,
  postgresApiKeyStore,
  postgresUserStore,
  secondaryStorageIdentityStore
} from 'fastify-better-auth-user'
import t from 'tap'
import { type BetterAuthServer, type SignedIn, startBetterAuth } from '../fixtures/better-auth.ts'
import { listen, MALFORMED, REFUSED } from '../fixtures/listen.ts'

interface Key {
  id: string
  key: string
}

const deployment = { plugins: [admin(), apiKey()] }

async function createKey(betterAuth: BetterAuthServer, { cookie }: SignedIn, more: object = {}): Promise<Key> {
  const reply = await betterAuth.post('/api-key/create', { name: 'deploy', ...more }, { cookie })
  return (await reply.json()) as Key
}

/** Writes what only Better Auth's server side may. */
function alter({ pool }: BetterAuthServer, { id }: Key, columns: string) {
  return pool.query(`update apikey set ${columns} where id = $1`, [id])
}

t.test('a key that Better Auth issued names its user', async t => {
  const betterAuth = await startBetterAuth(t, deployment)
  const service = await listen(t, betterAuth.connectionString, { apiKey: true })
  const ada = await betterAuth.signUp('Ada Lovelace')
  const grace = await betterAuth.signUp('Grace Hopper')
  const key = await createKey(betterAuth, ada)
  const seen = { status: 200, user: { id: ada.user.id, email: 'ada@example.com' }, session: null, grant: null }

  t.match(await service.ask({ 'x-api-key': key.key }), seen)
  t.match(await service.ask({ 'X-API-Key': key.key }, '/me'), { status: 200, id: ada.user.id })
  t.match(service.attempts, [
    { outcome: 'authenticated', kind: 'api-key', userId: ada.user.id, sessionId: null, sessionCount: 0 },
    { kind: 'api-key' }
  ])
  t.notOk(JSON.stringify(service.attempts).includes(key.key))

  const good: [string, Key, string?][] = [
    ['with a prefix', await createKey(betterAuth, ada, { prefix: 'sk_live_' })],
    ['that expires later', await createKey(betterAuth, ada, { expiresIn: 86_400 })],
    ['that expires for ever later', await createKey(betterAuth, ada), `"expiresAt" = 'infinity'`],
    ['with uses left', await createKey(betterAuth, ada), 'remaining = 1'],
    [
      'used up, and due to be refilled',
      await createKey(betterAuth, ada),
      `remaining = 0, "refillAmount" = 5, "refillInterval" = 60000, "lastRefillAt" = now() - interval '61 seconds'`
    ],
    [
      'used up, and due to be refilled for the first time',
      await createKey(betterAuth, ada),
      `remaining = 0, "refillAmount" = 5, "refillInterval" = 60000, "createdAt" = now() - interval '61 seconds'`
    ],
    ['older than the column `enabled`', await createKey(betterAuth, ada), 'enabled = null']
  ]
  for (const [why, one, columns] of good) {
    if (columns !== undefined) await alter(betterAuth, one, columns)
    t.match(await service.ask({ 'x-api-key': one.key }), seen, why)
  }

  await betterAuth.post('/sign-out', {}, { cookie: ada.cookie })
  t.match(await service.ask({ 'x-api-key': key.key }), seen, 'apart from any session')
  t.match(await service.ask({ 'x-api-key': key.key, cookie: grace.cookie }), seen, 'before a cookie')
  t.match(await service.ask({ 'x-api-key': key.key, authorization: 'Basic YTpi' }), seen, 'beside a scheme not ours')
  t.match(await service.ask({ cookie: grace.cookie }), { user: { id: grace.user.id } }, 'cookies work as before')
  t.match(
    await service.ask({ authorization: `Bearer ${grace.token}` }),
    { user: { id: grace.user.id } },
    'so do tokens'
  )
  t.same(await service.check(), [])
})

t.test('a key that does not work is refused, whatever the reason', async t => {
  const betterAuth = await startBetterAuth(t, deployment)
  const elsewhere = await startBetterAuth(t, deployment)
  const service = await listen(t, betterAuth.connectionString, { apiKey: true })
  const ada = await betterAuth.signUp('Ada Lovelace')
  const key = async (columns?: string) => {
    const one = await createKey(betterAuth, ada)
    // Each is good before it is not, so that nothing else is what refuses it.
    t.equal((await service.ask({ 'x-api-key': one.key })).status, 200)
    if (columns !== undefined) await alter(betterAuth, one, columns)
    return one
  }
  const good = await key()

  const disabled = await key()
  await betterAuth.post('/api-key/update', { keyId: disabled.id, enabled: false }, { cookie: ada.cookie })
  const deleted = await key()
  await betterAuth.post('/api-key/delete', { keyId: deleted.id }, { cookie: ada.cookie })
  const banned = await betterAuth.signUp('Mallory Banned')
  const bannedKey = await createKey(betterAuth, banned)
  await betterAuth.pool.query('update "user" set banned = true where id = $1', [banned.user.id])
  const gone = await betterAuth.signUp('Grace Gone')
  const goneKey = await createKey(betterAuth, gone)
  t.equal((await service.ask({ 'x-api-key': goneKey.key })).status, 200)
  await betterAuth.pool.query('delete from "user" where id = $1', [gone.user.id])
  const orphan = await betterAuth.pool.query('select 1 from apikey where id = $1', [goneKey.id])
  t.equal(orphan.rowCount, 1, 'Better Auth itself leaves the keys of deleted users behind')
  const { rows } = await betterAuth.pool.query<{ key: string }>('select key from apikey where id = $1', [good.id])

  const bad: Record<string, string> = {
    unknown: 'BXqPyOTrDNRywLbEFWNIzVgOgHFDWgUQhMKwyXrFDhkfNDYpcQVbzqtPKjINfZMw',
    'of one character': 'x',
    tampered: `${good.key.slice(0, -1)}${good.key.endsWith('a') ? 'b' : 'a'}`,
    'in other letters': good.key.toUpperCase(),
    'what the database keeps of it': rows[0]?.key ?? '',
    'from another deployment': (await createKey(elsewhere, await elsewhere.signUp('Ada Lovelace'))).key,
    disabled: disabled.key,
    deleted: deleted.key,
    expired: (await key(`"expiresAt" = now() - interval '1 second'`)).key,
    'used up': (await key('remaining = 0')).key,
    'used up, the refill not due': (
      await key(`remaining = 0, "refillAmount" = 5, "refillInterval" = 60000, "lastRefillAt" = now()`)
    ).key,
    'used up, with half a refill rule': (await key(`remaining = 0, "refillAmount" = 5`)).key,
    'of a banned user': bannedKey.key,
    'of a deleted user': goneKey.key,
    'a session token': ada.token
  }
  for (const [why, one] of Object.entries(bad)) {
    t.match(await service.ask({ 'x-api-key': one }), REFUSED, why)
    t.match(await service.ask({ 'x-api-key': one, cookie: ada.cookie }), REFUSED, `${why}: not forgiven for a cookie`)
  }
  t.match(await service.ask({ authorization: `Bearer ${good.key}` }), REFUSED, 'a key is no bearer token')
  t.match(service.attempts.at(-1), { kind: 'bearer-session' })
  t.equal((await service.ask({ 'x-api-key': good.key })).status, 200, 'the good one works still')
})

t.test('a ban shows itself when asked to, and ends', async t => {
  const betterAuth = await startBetterAuth(t, deployment)
  const service = await listen(t, betterAuth.connectionString, { apiKey: true, discloseReasons: true })
  const ada = await betterAuth.signUp('Ada Lovelace')
  const headers = { 'x-api-key': (await createKey(betterAuth, ada)).key }
  await betterAuth.pool.query(`update "user" set banned = true, "banExpires" = now() + interval '1 hour'`)
  t.match(await service.ask(headers), { status: 403, code: 'FST_BAU_USER_BANNED' })
  await betterAuth.pool.query(`update "user" set "banExpires" = now() - interval '1 second'`)
  t.match(await service.ask(headers), { status: 200, user: { id: ada.user.id } })
})

t.test('more than one credential is malformed', async t => {
  const betterAuth = await startBetterAuth(t, deployment)
  const service = await listen(t, betterAuth.connectionString, { apiKey: true, token: { query: 'token' } })
  const ada = await betterAuth.signUp('Ada Lovelace')
  const { key } = await createKey(betterAuth, ada)
  const cases: Record<string, [Record<string, string>, string?]> = {
    'with a bearer token of the same user': [{ 'x-api-key': key, authorization: `Bearer ${ada.token}` }],
    'with a bearer token that is bad': [{ 'x-api-key': key, authorization: 'Bearer nope' }],
    'with half a bearer token': [{ 'x-api-key': key, authorization: 'Bearer' }],
    'with a token in the address': [{ 'x-api-key': key }, `/whoami?token=${ada.token}`],
    'two in one header': [{ 'x-api-key': `${key} ${key}` }],
    'an empty one': [{ 'x-api-key': '' }],
    'one that is too long': [{ 'x-api-key': 'x'.repeat(8193) }],
    'one that is not ASCII': [{ 'x-api-key': `${key}é` }]
  }
  for (const [why, [headers, path]] of Object.entries(cases)) {
    t.match(await service.ask(headers, path), MALFORMED, why)
  }
  const twice = await new Promise<number | undefined>((resolve, reject) => {
    httpRequest(`${service.url}/whoami`, {
      headers: [
        ['x-api-key', key],
        ['x-api-key', key]
      ].flat()
    })
      .on('response', reply => resolve(reply.resume().statusCode))
      .on('error', reject)
      .end()
  })
  t.equal(twice, 400, 'two headers')
  t.equal((await service.ask({ 'x-api-key': key })).status, 200)
})

t.test('looking writes nothing', async t => {
  const betterAuth = await startBetterAuth(t, deployment)
  const service = await listen(t, betterAuth.connectionString, { apiKey: true })
  const ada = await betterAuth.signUp('Ada Lovelace')
  const counted = await createKey(betterAuth, ada)
  await alter(betterAuth, counted, 'remaining = 2, "rateLimitMax" = 2, "rateLimitEnabled" = true')
  const expired = await createKey(betterAuth, ada)
  await alter(betterAuth, expired, `"expiresAt" = now() - interval '1 second'`)
  const rows = async () => (await betterAuth.pool.query('select to_jsonb(one) from apikey one order by id')).rows
  const before = await rows()
  for (let use = 0; use < 5; use++) t.equal((await service.ask({ 'x-api-key': counted.key })).status, 200)
  t.equal((await service.ask({ 'x-api-key': expired.key })).status, 401)
  t.same(await rows(), before, 'neither uses nor the rate limit are counted here')
})

t.test('many at once are told apart', async t => {
  const betterAuth = await startBetterAuth(t, deployment)
  const users = [await betterAuth.signUp('Ada Lovelace'), await betterAuth.signUp('Grace Hopper')]
  const keys: Key[] = []
  for (const user of users) keys.push(await createKey(betterAuth, user))
  for (const configId of [undefined, 'default']) {
    const service = await listen(t, betterAuth.connectionString, { apiKey: { configId } })
    // In one turn of the event loop, which is one query.
    const asked = Array.from({ length: 30 }, (_, index) => {
      const key = index % 3 === 2 ? `nobody${index}` : (keys[index % 3]?.key ?? '')
      return service.app.inject({ url: '/whoami', headers: { 'x-api-key': key } })
    })
    for (const [index, reply] of (await Promise.all(asked)).entries()) {
      t.equal(reply.statusCode, index % 3 === 2 ? 401 : 200)
      t.equal(reply.json().user?.id, users[index % 3]?.user.id)
    }
  }
})

t.test('beside sessions that are kept elsewhere', async t => {
  const betterAuth = await startBetterAuth(t, deployment)
  const ada = await betterAuth.signUp('Ada Lovelace')
  const { key } = await createKey(betterAuth, ada)
  // As where Better Auth keeps its sessions in secondary storage.
  await betterAuth.pool.query('drop table session')
  const users = postgresUserStore(betterAuth.pool)
  const sessions = secondaryStorageIdentityStore({ storage: new Map<string, string>(), users })
  const identityStore = layeredIdentityStore(sessions, postgresApiKeyStore(betterAuth.pool))
  const service = await listen(t, betterAuth.connectionString, { apiKey: true, identityStore, checkAtStart: 'fail' })
  t.match(await service.ask({ 'x-api-key': key }), { status: 200, user: { id: ada.user.id }, session: null })
  t.match(await service.ask({ 'x-api-key': 'x' }), REFUSED)
  t.match(await service.ask({ authorization: `Bearer ${ada.token}` }), REFUSED, 'no 503 for want of a session table')
  await betterAuth.pool.query('drop table apikey')
  t.match(await service.check(), [/apikey table was not found/])
})

t.test('off by default', async t => {
  const betterAuth = await startBetterAuth(t, deployment)
  const ada = await betterAuth.signUp('Ada Lovelace')
  const { key } = await createKey(betterAuth, ada)
  for (const options of [{}, { apiKey: false }]) {
    const service = await listen(t, betterAuth.connectionString, options)
    t.match(await service.ask({ 'x-api-key': key }), { status: 200, user: null })
    t.match(await service.ask({ 'x-api-key': key }, '/me'), { status: 401, code: 'FST_BAU_CREDENTIAL_MISSING' })
    t.match(await service.ask({ 'x-api-key': key, authorization: `Bearer ${ada.token}` }), {
      user: { id: ada.user.id }
    })
  }
})

t.test('without the table, keys are unavailable and everything else works', async t => {
  const betterAuth = await startBetterAuth(t)
  const ada = await betterAuth.signUp('Ada Lovelace')
  const service = await listen(t, betterAuth.connectionString, { apiKey: true })
  t.match(await service.ask({ 'x-api-key': 'x' }), { status: 503, code: 'FST_BAU_UNAVAILABLE', challenge: null })
  t.match(await service.ask({ authorization: `Bearer ${ada.token}` }), { status: 200, user: { id: ada.user.id } })
  t.match(await service.check(), [/^Better Auth's apikey table was not found: .*Run Better Auth's migrations/])
  await t.rejects(listen(t, betterAuth.connectionString, { apiKey: true, checkAtStart: 'fail' }), /apikey table/)
  const without = await listen(t, betterAuth.connectionString, { checkAtStart: 'fail' })
  t.same(await without.check(), [], 'nobody looks for a table nobody needs')

  await betterAuth.pool.query('create table apikey (key text, enabled boolean, "expiresAt" timestamptz, remaining int)')
  t.match(await service.check(), [/no column for referenceId or userId/])
  await betterAuth.pool.query('alter table apikey add "userId" text')
  t.same(await service.check(), [])
  t.match(await service.ask({ 'x-api-key': 'x' }), REFUSED, 'without a restart')
})

t.test('keys of organizations are nobody', async t => {
  const configurations = [{ configId: 'personal' }, { configId: 'company', references: 'organization' }] as const
  const plugins = [admin(), organization(), apiKey([...configurations])]

  async function keys(betterAuth: BetterAuthServer) {
    const ada = await betterAuth.signUp('Ada Lovelace')
    const reply = await betterAuth.post(
      '/organization/create',
      { name: 'Engines', slug: 'engines' },
      { cookie: ada.cookie }
    )
    const { id: organizationId } = (await reply.json()) as { id: string }
    const personal = await createKey(betterAuth, ada, { configId: 'personal' })
    const company = await createKey(betterAuth, ada, { configId: 'company', organizationId })
    return { ada, organizationId, personal: personal.key, company: company.key }
  }

  t.test('ids that say nothing', async t => {
    const betterAuth = await startBetterAuth(t, { plugins })
    const { ada, personal, company } = await keys(betterAuth)
    const any = await listen(t, betterAuth.connectionString, { apiKey: true })
    t.match(await any.ask({ 'x-api-key': personal }), { status: 200, user: { id: ada.user.id } })
    t.match(await any.ask({ 'x-api-key': company }), REFUSED)
    const other = await listen(t, betterAuth.connectionString, { apiKey: { configId: 'default' } })
    t.match(await other.ask({ 'x-api-key': personal }), REFUSED, 'a configuration that is not listed')
    const listed = await listen(t, betterAuth.connectionString, { apiKey: { configId: ['default', 'personal'] } })
    t.match(await listed.ask({ 'x-api-key': personal }), { status: 200 })
  })

  t.test('uuids', async t => {
    const betterAuth = await startBetterAuth(t, { plugins, advanced: { database: { generateId: 'uuid' } } })
    const { ada, personal, company } = await keys(betterAuth)
    const service = await listen(t, betterAuth.connectionString, { apiKey: true })
    t.match(await service.ask({ 'x-api-key': personal }), { status: 200, user: { id: ada.user.id } })
    t.match(await service.ask({ 'x-api-key': company }), REFUSED)
    await betterAuth.pool.query(`update apikey set "referenceId" = 'not a uuid'`)
    t.match(await service.ask({ 'x-api-key': personal }), REFUSED, 'never a failing cast')
  })

  t.test('serial numbers, which users and organizations share', async t => {
    const betterAuth = await startBetterAuth(t, { plugins, advanced: { database: { generateId: 'serial' } } })
    const { ada, organizationId, personal, company } = await keys(betterAuth)
    t.equal(ada.user.id, organizationId, 'the case in point')
    const any = await listen(t, betterAuth.connectionString, { apiKey: true })
    t.match(await any.ask({ 'x-api-key': company }), { status: 503, code: 'FST_BAU_UNAVAILABLE' })
    t.match(await any.check(), [/organization 7 would pass for one of user 7: name .* in `apiKey.configId`/])
    const personalOnly = await listen(t, betterAuth.connectionString, { apiKey: { configId: 'personal' } })
    t.match(await personalOnly.ask({ 'x-api-key': personal }), { status: 200, user: { id: ada.user.id } })
    t.match(await personalOnly.ask({ 'x-api-key': company }), REFUSED)
    t.same(await personalOnly.check(), [])
    await betterAuth.pool.query(`update apikey set "referenceId" = '99999999999999999999'`)
    t.match(await personalOnly.ask({ 'x-api-key': personal }), REFUSED, 'never a failing cast')
  })
})

t.test('keys of Better Auth 1.4, whose plugin is in its core', async t => {
  const plugins = [apiKeyOf14()]
  for (const generateId of ['serial', false] as const) {
    const advanced = generateId === false ? {} : { database: { generateId } }
    const betterAuth = await startBetterAuth(t, () => ({ plugins, advanced }), { line: '1.4' })
    const ada = await betterAuth.signUp('Ada Lovelace')
    const key = await createKey(betterAuth, ada)
    const service = await listen(t, betterAuth.connectionString, { apiKey: true, checkAtStart: 'fail' })
    t.match(await service.ask({ 'x-api-key': key.key }), { status: 200, user: { id: ada.user.id } })
    await alter(betterAuth, key, 'enabled = false')
    t.match(await service.ask({ 'x-api-key': key.key }), REFUSED)
  }
})

t.test('deployments that do it their own way', async t => {
  t.test('other names', async t => {
    const schema = { apikey: { modelName: 'tokens', fields: { key: 'digest', referenceId: 'holder' } } }
    const betterAuth = await startBetterAuth(t, { plugins: [admin(), apiKey({ schema })] })
    const ada = await betterAuth.signUp('Ada Lovelace')
    const headers = { 'x-api-key': (await createKey(betterAuth, ada)).key }
    const tables = { apikey: { modelName: 'tokens', fields: { key: 'digest', referenceId: 'holder' } } }
    const service = await listen(t, betterAuth.connectionString, { apiKey: true, tables })
    t.match(await service.ask(headers), { status: 200, user: { id: ada.user.id } })
  })

  t.test('snake case, dates without a time zone, a database elsewhere', async t => {
    const betterAuth = await startBetterAuth(t, deployment)
    const ada = await betterAuth.signUp('Ada Lovelace')
    const key = await createKey(betterAuth, ada)
    await betterAuth.pool.query(`
      alter table apikey rename to api_keys;
      alter table api_keys rename "referenceId" to reference_id;
      alter table api_keys rename "expiresAt" to expires_at;
      alter table api_keys rename "configId" to config_id;
      alter table api_keys alter expires_at type timestamp using expires_at at time zone 'utc'`)
    const zone = encodeURIComponent('-c TimeZone=America/Los_Angeles')
    const service = await listen(t, `${betterAuth.connectionString}?options=${zone}`, {
      apiKey: { configId: 'default' }
    })
    const set = `update api_keys set expires_at = (now() at time zone 'utc') + interval`
    await betterAuth.pool.query(`${set} '1 minute'`)
    t.match(await service.ask({ 'x-api-key': key.key }), { status: 200, user: { id: ada.user.id } })
    await betterAuth.pool.query(`${set} '-1 minute'`)
    t.match(await service.ask({ 'x-api-key': key.key }), REFUSED)
  })

  t.test('other headers', async t => {
    const betterAuth = await startBetterAuth(t, deployment)
    const ada = await betterAuth.signUp('Ada Lovelace')
    const { key } = await createKey(betterAuth, ada)
    const service = await listen(t, betterAuth.connectionString, {
      apiKey: { header: ['X-Engine-Key', 'api-key', 'x-engine-key'] }
    })
    const seen = { status: 200, user: { id: ada.user.id } }
    t.match(await service.ask({ 'x-engine-key': key }), seen)
    t.match(await service.ask({ 'api-key': key }), seen)
    t.match(await service.ask({ 'x-api-key': key }), { status: 200, user: null })
    t.match(await service.ask({ 'api-key': key, 'x-engine-key': key }), MALFORMED)
  })

  t.test('keys kept as they are', async t => {
    const betterAuth = await startBetterAuth(t, { plugins: [apiKey({ disableKeyHashing: true })] })
    const ada = await betterAuth.signUp('Ada Lovelace')
    const headers = { 'x-api-key': (await createKey(betterAuth, ada)).key }
    const hashing = await listen(t, betterAuth.connectionString, { apiKey: true })
    t.match(await hashing.ask(headers), REFUSED)
    const service = await listen(t, betterAuth.connectionString, { apiKey: { hashKey: key => key } })
    t.match(await service.ask(headers), { status: 200, user: { id: ada.user.id } })
  })
})

t.test('options that cannot work are refused at start', async t => {
  const cases = [
    { options: { apiKey: { headers: 'x' } }, says: /unknown apiKey headers; known are header/ },
    { options: { apiKey: { header: 'a b' } }, says: /apiKey.header/ },
    { options: { apiKey: { header: 'Authorization' } }, says: /apiKey.header/ },
    { options: { apiKey: { header: [] } }, says: /apiKey.header/ },
    { options: { apiKey: { configId: [] } }, says: /apiKey.configId/ },
    { options: { apiKey: true, token: { header: 'X-API-Key' } }, says: /holds tokens already/ }
  ]
  for (const { options, says } of cases) {
    const app = Fastify()
    await t.rejects(async () => app.register(betterAuthUser, options as object), { name: 'TypeError', message: says })
  }
})
