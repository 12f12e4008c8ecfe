import { spawnSync } from 'node:child_process'
import { tracingChannel } from 'node:diagnostics_channel'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import postgres from '@fastify/postgres'
import Fastify from 'fastify'
import betterAuthUser, { type AuthAttempt } from 'fastify-better-auth-user'
import t from 'tap'
import { SECRET, startBetterAuth } from '../fixtures/better-auth.ts'
import { buildApp } from '../fixtures/build-app.ts'

t.test('hooks hear of each request once, and may refuse it', async t => {
  const server = await startBetterAuth(t)
  const ada = await server.signUp()
  const heard: string[] = []
  const app = await buildApp(t, server.connectionString, {
    onAuthenticated: (request, { identity }) => {
      heard.push(`authenticated ${identity?.user.name}`)
      if (request.headers['x-tenant'] === 'other') throw Object.assign(new Error('wrong tenant'), { statusCode: 403 })
    },
    onRejected: async (request, { error, decision }) => {
      heard.push(`rejected ${error.code} ${decision.outcome}`)
      if (request.headers['x-many'] === 'yes') throw Object.assign(new Error('too many'), { statusCode: 429 })
    },
    mapError: error => Object.assign(new Error(`mapped ${error.code}`), { statusCode: error.statusCode })
  })
  const ask = async (headers: Record<string, string>) => {
    const reply = await app.inject({ url: '/me', headers })
    return `${reply.statusCode} ${reply.json().message ?? ''} ${heard.splice(0).join('; ')}`
  }
  t.equal(await ask({ cookie: ada.cookie }), '200  authenticated Ada Lovelace')
  t.equal(await ask({}), '401 mapped FST_BAU_CREDENTIAL_MISSING rejected FST_BAU_CREDENTIAL_MISSING anonymous')
  t.equal(
    await ask({ authorization: 'Bearer x' }),
    '401 mapped FST_BAU_CREDENTIAL_INVALID rejected FST_BAU_CREDENTIAL_INVALID rejected'
  )
  t.equal(
    await ask({ authorization: 'Bearer x', 'x-many': 'yes' }),
    '429 too many rejected FST_BAU_CREDENTIAL_INVALID rejected'
  )
  t.equal(await ask({ cookie: ada.cookie, 'x-tenant': 'other' }), '403 wrong tenant authenticated Ada Lovelace')
})

t.test('tracers see each authentication, with its decision at the end', async t => {
  const server = await startBetterAuth(t)
  const ada = await server.signUp()
  const app = await buildApp(t, server.connectionString)
  const events: unknown[] = []
  const note = (name: string) => (message: { decision: AuthAttempt['decision'] | null }) => {
    events.push([name, message.decision?.outcome ?? null])
  }
  const tracing = tracingChannel('fastify-better-auth-user:authenticate')
  const subscribers = {
    start: note('start'),
    asyncEnd: note('asyncEnd'),
    end() {},
    asyncStart() {},
    error: note('error')
  }
  tracing.subscribe(subscribers as never)
  t.teardown(() => tracing.unsubscribe(subscribers as never))
  await app.inject({ url: '/me', headers: { cookie: ada.cookie } })
  t.same(events, [
    ['start', null],
    ['asyncEnd', 'authenticated']
  ])
})

t.test('log lines name the user from then on, and never the credential', async t => {
  const server = await startBetterAuth(t)
  const ada = await server.signUp()
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    }
  })
  const app = Fastify({ logger: { level: 'debug', stream } })
  t.teardown(() => app.close())
  await app.register(postgres, { connectionString: server.connectionString })
  await app.register(betterAuthUser, { secret: SECRET })
  app.get('/me', { onRequest: app.requireUser() }, async request => {
    request.log.info('in the handler')
    return 'ok'
  })
  await app.inject({ url: '/me', headers: { cookie: ada.cookie } })
  await app.inject({ url: '/me', headers: { authorization: `Bearer ${ada.token}x` } })
  const entries = lines.map(line => JSON.parse(line) as { msg: string; userId?: string; auth?: object })
  for (const msg of ['authenticated', 'in the handler', 'request completed']) {
    t.equal(entries.find(entry => entry.msg === msg)?.userId, ada.user.id, msg)
  }
  t.match(entries.find(entry => entry.msg === 'rejected')?.auth, { stage: 'find', reason: 'no such session' })
  const all = lines.join('')
  for (const secret of [ada.token, SECRET, 'ada@example.com', 'Lovelace'])
    t.notOk(all.includes(secret), 'nothing private')
})

t.test('NODE_DEBUG=better-auth-user prints a readable line', async t => {
  const file = fileURLToPath(new URL('../fixtures/one-refusal.ts', import.meta.url))
  // As this test was started, so that the sources are seen, less tap's own part.
  const flags = process.execArgv.filter(flag => !flag.includes('tapjs'))
  const { stderr } = spawnSync(process.execPath, [...flags, file], {
    env: { ...process.env, NODE_DEBUG: 'better-auth-user' },
    encoding: 'utf8'
  })
  t.match(
    stderr,
    /BETTER-AUTH-USER \d+: bearer-session → find: rejected, FST_BAU_CREDENTIAL_INVALID \(no such session\), [\d.]+ ms/
  )
  t.notMatch(stderr, /0fOyRV/)
})
