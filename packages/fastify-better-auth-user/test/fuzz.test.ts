import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import Fastify, { type FastifyInstance } from 'fastify'
import betterAuthUser, { errors, type IdentityRecord, type IdentityStore } from 'fastify-better-auth-user'
import t from 'tap'
import { SECRET } from './fixtures/better-auth.ts'
import { type FuzzCase, fuzzCases } from './fixtures/fuzz-cases.ts'
import { ALGORITHMS, buildTarget, keySet, openTarget } from './fixtures/target.ts'

// FUZZ_RUNS=1000000 for more; FUZZ_SEED and FUZZ_PATH, as a failure prints them, to see one again.
const RUNS = Number(process.env.FUZZ_RUNS ?? 100_000)
const AGAIN = {
  ...(process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) }),
  ...(process.env.FUZZ_PATH === undefined ? {} : { path: process.env.FUZZ_PATH })
}

// Long lived, so that the tokens made at the start are still good at the end.
const target = await openTarget(t)
target.claims.exp += 86_400
const { ada, betterAuth } = target
const cases = fuzzCases(target)
const hs256 = { issuer: betterAuth.url, audience: betterAuth.url }
const CODES = new Set(Object.keys(errors))
const STATUS = new Set([200, 400, 401, 404])

/** What must hold of every answer. */
async function check(app: FastifyInstance, { headers, genuine, by }: FuzzCase): Promise<void> {
  const reply = await app.inject({ url: '/', headers })
  const fail = (why: string) => {
    throw new Error(`${why}: ${by} was answered ${reply.statusCode} ${reply.body}`)
  }
  if (!STATUS.has(reply.statusCode)) fail('an answer of no such kind')
  const body = reply.json()
  const user = reply.statusCode === 200 ? body.user : null
  if (genuine && user?.id !== ada.user.id) fail('a good credential was refused')
  if (!genuine && user !== null) fail('a bad credential was believed')
  if (reply.statusCode !== 200 && !CODES.has(body.code)) fail('an error of no such kind')
  const challenge = reply.headers['www-authenticate']
  if ((reply.statusCode === 400 || reply.statusCode === 401) !== (challenge !== undefined))
    fail('a challenge too many, or none')
  if (
    challenge !== undefined &&
    !/^Bearer realm="api", error="[a-z_]+"(, error_description="[\x20\x21\x23-\x5b\x5d-\x7e]+")?$/.test(
      String(challenge)
    )
  )
    fail('a challenge beyond its characters')
  if (reply.body.includes(SECRET)) fail('the secret came out')
}

/** So many requests are under way at a time; callers must not become each other either. */
const AT_A_TIME = 10

/** The first that fail are made as small as they can be, and printed with their seed. */
async function run(app: FastifyInstance, requests: number): Promise<void> {
  const together = fc.array(cases, { minLength: AT_A_TIME, maxLength: AT_A_TIME })
  await fc.assert(
    fc.asyncProperty(together, async cases => {
      await Promise.all(cases.map(one => check(app, one)))
    }),
    { numRuns: Math.ceil(requests / AT_A_TIME), timeout: 10_000, ...AGAIN }
  )
}

t.setTimeout(600_000)

t.test('the generator makes what it should: good credentials, and bad ones of every sort', async t => {
  const sample = fc.sample(cases, { numRuns: 5000, seed: 1 })
  const genuine = sample.filter(one => one.genuine)
  t.ok(genuine.length > 250 && genuine.length < 2500, `${genuine.length} of 5000 are genuine`)
  const sorts = new Set(sample.map(({ by }) => by.replace(/[ ,].*/, '')))
  for (const sort of ['untouched', 'edited', 'reassembled', 'HS256', 'EdDSA', 'ES256', 'cookie', 'any', 'long'])
    t.ok(sorts.has(sort), sort)
})

t.test(`${RUNS} requests: nothing bad is believed, nothing good refused, nothing breaks`, async t => {
  const app = await buildAlone(t)
  const started = performance.now()
  await run(app, RUNS)
  t.pass(`in ${Math.round((performance.now() - started) / 1000)} s`)
})

t.test('2000 of them against a real database', async t => {
  const app = await buildTarget(t, betterAuth.connectionString, { hs256, ...keySet(betterAuth.url) })
  await run(app, Math.min(RUNS, 2000))
  t.pass()
})

/** The plugin with nobody behind it but Ada, and keys from a socket. */
async function buildAlone(t: { teardown(end: () => unknown): void }) {
  const keys = ALGORITHMS.map(alg => ({ ...target.keys[alg].publicJwk, kid: target.keys[alg].kid, alg }))
  const endpoint = createServer((_request, reply) => reply.end(JSON.stringify({ keys })))
  endpoint.listen(0, '127.0.0.1')
  await once(endpoint, 'listening')
  const app = Fastify()
  t.teardown(async () => {
    await app.close()
    endpoint.closeAllConnections()
    endpoint.close()
  })
  const source = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/jwks`
  await app.register(betterAuthUser, {
    secret: SECRET,
    hs256,
    keySet: { source, issuer: betterAuth.url, audience: betterAuth.url },
    identityStore: storeOfAda()
  })
  app.get('/', async request => ({ user: request.user }))
  await app.ready()
  return app as unknown as FastifyInstance
}

function storeOfAda(): IdentityStore {
  const { id, email, name } = ada.user
  const user = { id, email, name, emailVerified: false, image: null, role: null }
  const session = {
    id: 'ses_1',
    userId: id,
    expiresAt: new Date(8.64e15),
    createdAt: null,
    impersonatedBy: null,
    activeOrganizationId: null
  }
  const record: IdentityRecord = { user, session, sessionCount: 1, banned: false }
  return {
    async find(claims) {
      if (claims.by === 'session-token') return claims.sessionToken === ada.token ? record : null
      if (claims.by === 'email') return claims.email === email ? record : null
      if (claims.by !== 'subject' || claims.subject !== id) return null
      return claims.sessionId === null || claims.sessionId === session.id
        ? record
        : { ...record, session: null, sessionCount: 0 }
    }
  }
}
