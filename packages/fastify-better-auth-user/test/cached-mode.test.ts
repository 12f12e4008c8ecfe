import { setTimeout as sleep } from 'node:timers/promises'
import type { BetterAuthUserOptions } from 'fastify-better-auth-user'
import { signJwt } from 'fastify-better-auth-user/testing'
import t from 'tap'
import { SECRET, type SignedIn, startBetterAuth } from './fixtures/better-auth.ts'
import { listen } from './fixtures/listen.ts'

const PATIENCE_MS = 15_000

type Test = Parameters<typeof startBetterAuth>[0]
type Service = Awaited<ReturnType<typeof listen>>

/** Better Auth, and two services in front of its database that keep what they find. */
async function deployment(t: Test, options: BetterAuthUserOptions = {}) {
  const betterAuth = await startBetterAuth(t, plugins => ({
    plugins: [plugins.bearer(), plugins.jwt(), plugins.admin()]
  }))
  const settings: BetterAuthUserOptions = {
    hs256: true,
    keySet: { source: 'database', issuer: betterAuth.origin, audience: betterAuth.origin },
    cache: true,
    discloseReasons: true,
    ...options
  }
  const services = [
    await listen(t, betterAuth.connectionString, settings),
    await listen(t, betterAuth.connectionString, settings)
  ]
  const admin = await betterAuth.signUp('Grace Hopper')
  await betterAuth.pool.query(`update "user" set role = 'admin' where id = $1`, [admin.user.id])
  const asAdmin = { authorization: `Bearer ${(await betterAuth.signIn(admin.user.email)).signedToken}` }
  return { betterAuth, services, asAdmin }
}

const cacheOf = ({ app }: Service) => {
  const { cache } = app.betterAuthUser.stats()
  if (cache === null) throw new Error('nothing is cached here')
  return cache
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what}: not within ${PATIENCE_MS} ms`)
    await sleep(5)
  }
}

const trusted = (services: Service[]) =>
  Promise.all(services.map(one => until('the cache is used', () => cacheOf(one).trusted)))

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

t.test('whatever the credential, a known caller costs no query, and a revoked one is refused everywhere', async t => {
  const { betterAuth, services, asAdmin } = await deployment(t)
  await services[0]?.app.betterAuthUser.migrations.up()
  await trusted(services)

  const credentialsOf = async (ada: SignedIn): Promise<Record<string, Record<string, string>>> => {
    const reply = await betterAuth.get('/token', bearer(ada.signedToken))
    const { token: jwt } = (await reply.json()) as { token: string }
    return {
      'raw session token': bearer(ada.token),
      'signed session token': bearer(ada.signedToken),
      'session cookie': { cookie: ada.cookie },
      'HS256 token': bearer(await signJwt({ sub: ada.user.id }, SECRET)),
      'JWT of the key set': bearer(jwt)
    }
  }
  /** Known to every service, by every credential. */
  const warm = async (credentials: Record<string, Record<string, string>>) => {
    // The first request of each is looked up; a change still on its way may make it two.
    for (let round = 0; round < 3; round++) {
      for (const headers of Object.values(credentials)) {
        for (const one of services) t.match(await one.ask(headers), { status: 200 })
      }
    }
    for (const one of services) {
      const before = one.app.betterAuthUser.stats().lookups?.queries
      for (const [kind, headers] of Object.entries(credentials)) {
        t.match(await one.ask(headers), { status: 200, user: { name: 'Ada Lovelace' } }, kind)
      }
      t.equal(one.app.betterAuthUser.stats().lookups?.queries, before, 'no query was sent')
    }
  }

  const endings: [string, (ada: SignedIn) => Promise<unknown>][] = [
    ['sign-out', ada => betterAuth.post('/sign-out', {}, bearer(ada.signedToken))],
    ['ban', ada => betterAuth.post('/admin/ban-user', { userId: ada.user.id }, asAdmin)],
    ['ban by SQL', ada => betterAuth.pool.query('update "user" set banned = true where id = $1', [ada.user.id])],
    ['removal', ada => betterAuth.post('/admin/remove-user', { userId: ada.user.id }, asAdmin)],
    ['end of the session', ada => end(ada, `now() - interval '1 ms'`)]
  ]
  const end = (ada: SignedIn, when: string) =>
    betterAuth.pool.query(`update session set "expiresAt" = ${when} where token = $1`, [ada.token])

  for (const [index, [ending, bring]] of endings.entries()) {
    await t.test(ending, async t => {
      const ada = await betterAuth.signUp('Ada Lovelace', `ada-${index}@example.com`)
      const credentials = await credentialsOf(ada)
      await warm(credentials)
      // Nobody waits for anything: what is committed counts.
      await bring(ada)
      for (const [kind, headers] of Object.entries(credentials)) {
        for (const one of services) {
          const { status } = await one.ask(headers)
          t.ok([401, 403, 404].includes(status), `${kind}: ${status}`)
        }
      }
    })
  }

  await t.test('what is known of the user is what the database says', async t => {
    const ada = await betterAuth.signUp('Ada Lovelace', 'ada-role@example.com')
    const credentials = await credentialsOf(ada)
    await warm(credentials)
    await betterAuth.post('/admin/set-role', { userId: ada.user.id, role: ['admin', 'user'] }, asAdmin)
    for (const one of services) t.match(await one.ask(bearer(ada.token)), { user: { role: 'admin,user' } })
  })

  await t.test('who signs in again is known at once', async t => {
    const ada = await betterAuth.signUp('Ada Lovelace', 'ada-again@example.com')
    await warm(await credentialsOf(ada))
    await betterAuth.post('/sign-out', {}, bearer(ada.signedToken))
    for (const one of services) t.match(await one.ask(bearer(ada.token)), { status: 401 })
    const again = await betterAuth.signIn('ada-again@example.com')
    for (const one of services) t.match(await one.ask(bearer(again.token)), { status: 200 })
  })

  await t.test('a session ends at its instant, although nobody says so', async t => {
    const ada = await betterAuth.signUp('Ada Lovelace', 'ada-late@example.com')
    await end(ada, `now() + interval '1500 ms'`)
    const { rows } = await betterAuth.pool.query<{ left: number }>(
      'select extract(epoch from "expiresAt" - clock_timestamp())::float8 as left from session where token = $1',
      [ada.token]
    )
    const endsAt = performance.now() + 1000 * (rows[0]?.left ?? 0)
    const seen = { served: 0, refused: 0, late: 0 }
    while (seen.refused < 5) {
      for (const one of services) {
        // The answer began after the end, by more than the time it took to ask when that is.
        const late = performance.now() > endsAt + 20
        const { status } = await one.ask(bearer(ada.token))
        if (status === 200 && late) seen.late++
        seen[status === 200 ? 'served' : 'refused']++
      }
    }
    t.ok(seen.served > 2, 'served before')
    t.equal(seen.late, 0, 'and not after')
  })

  await t.test('when the listening connection is cut, nobody is believed who was revoked since', async t => {
    const ada = await betterAuth.signUp('Ada Lovelace', 'ada-cut@example.com')
    await warm(await credentialsOf(ada))
    const listening = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query like '-- fastify-better-auth-user listens%' and pid <> pg_backend_pid()`
    const cut = await betterAuth.pool.query(listening)
    t.equal(cut.rowCount, services.length, 'one connection each')
    await betterAuth.pool.query('delete from session where token = $1', [ada.token])
    for (const one of services) t.match(await one.ask(bearer(ada.token)), { status: 401 })
    await trusted(services)
    for (const one of services) t.match(await one.ask(bearer(ada.token)), { status: 401 }, 'nor after it is back')
  })
})

t.test('without its triggers everything works, every request is looked up, and the check says what to do', async t => {
  const { betterAuth, services } = await deployment(t)
  const [one] = services
  if (one === undefined) return
  const ada = await betterAuth.signUp('Ada Lovelace')
  for (let n = 0; n < 3; n++) t.match(await one.ask(bearer(ada.token)), { status: 200 })
  t.match(cacheOf(one), { state: 'lost', trusted: false, kept: 0, recalled: 0, reason: /trigger/ })
  t.same(await one.check(), [], 'nobody is turned away for that')
  t.match(await one.app.betterAuthUser.checkCache(), [/trigger/])
  await one.app.betterAuthUser.migrations.up()
  await trusted(services)
  t.same(await one.app.betterAuthUser.checkCache(), [])
  await one.app.betterAuthUser.migrations.down()
  await until('it is noticed that they are gone', () => cacheOf(one).state === 'lost')
  t.match(await one.ask(bearer(ada.token)), { status: 200 })
})

t.test('a closed service holds no connection', async t => {
  const { services } = await deployment(t)
  await services[0]?.app.betterAuthUser.migrations.up()
  await trusted(services)
  const started = performance.now()
  await Promise.all(services.map(({ app }) => app.close()))
  t.ok(performance.now() - started < 5000, 'closing waits for nothing')
  for (const one of services) t.match(cacheOf(one), { state: 'closed', kept: 0 })
})
