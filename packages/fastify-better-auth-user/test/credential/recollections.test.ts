import assert from 'node:assert/strict'
import fc from 'fast-check'
import { memoryIdentityStore, signSessionCookie, signSessionToken } from 'fastify-better-auth-user/testing'
import t from 'tap'
import { type Authentication, authenticate, type Pipeline } from '../../src/authenticate.ts'
import { apiKey } from '../../src/credential/api-key.ts'
import { bearerSession } from '../../src/credential/bearer-session.ts'
import { type CredentialKind, type CredentialSource, timeless } from '../../src/credential/credential.ts'
import { createProofs } from '../../src/credential/proofs.ts'
import { createRecollections } from '../../src/credential/recollections.ts'
import { sessionCookie } from '../../src/credential/session-cookie.ts'
import { isForeignOrigin } from '../../src/http/origin.ts'
import { type TokenPlaces, tokenReader } from '../../src/http/token.ts'
import { SECRET } from '../fixtures/better-auth.ts'

type Line = readonly [name: string, value: string]

const store = memoryIdentityStore()
const signIn = (name: string) => store.addSession(store.addUser({ name }).id).token
const ada = signIn('Ada Lovelace')
const grace = signIn('Grace Hopper')

/** A request as Node shows it: the first Authorization, cookies in one text, and of others a list. */
function sourceOf(lines: readonly Line[], more: Partial<CredentialSource> = {}): CredentialSource {
  const headers: Record<string, string> = {}
  for (const [name, value] of lines) {
    const known = headers[name.toLowerCase()]
    if (known === undefined) headers[name.toLowerCase()] = value
    else if (/^cookie$/i.test(name)) headers.cookie = `${known}; ${value}`
    else if (!/^authorization$/i.test(name)) headers[name.toLowerCase()] = `${known}, ${value}`
  }
  return { headers, rawHeaders: lines.flat(), method: 'GET', url: '/', ...more }
}

function pipelineOf(places: TokenPlaces, max: number, more: readonly CredentialKind[] = []): Pipeline {
  const readToken = tokenReader(places)
  const kinds = [
    apiKey(readToken),
    ...more,
    bearerSession(readToken, [SECRET], createProofs(max)),
    sessionCookie([SECRET], createProofs(max))
  ]
  return {
    kinds,
    recollections: createRecollections(kinds, max),
    identityStore: store,
    unknownUserStatus: 404,
    discloseReasons: true,
    isForeign: source => isForeignOrigin(source, new Set())
  }
}

const verdictOf = ({ decision, claims, identity, error }: Authentication) => ({
  decision: { ...decision, durationMs: 0 },
  claims,
  identity,
  status: error?.statusCode,
  message: error?.message
})
const ask = async (pipeline: Pipeline, source: CredentialSource) => verdictOf(await authenticate(pipeline, source))

const bearers = [`Bearer ${ada}`, `bearer  ${grace}`, `Bearer ${signSessionToken(ada, SECRET)}`]
const cookies = [signSessionCookie(grace, SECRET), `${signSessionCookie(ada, SECRET)}; theme=dark`]
const known: Line[] = [
  ...bearers.map(value => ['Authorization', value] as const),
  ...cookies.map(value => ['Cookie', value] as const)
]

t.test(
  'with whatever else it comes, a known header gets the verdict it would get from somebody who never met it',
  async t => {
    const value = fc.oneof(
      fc.constantFrom(...bearers, ...cookies),
      fc.constantFrom('Basic YTpi', 'Bearer nope', 'Bearer', 'a=b', '', ada),
      // Much like a known one: the end is the same, or all but the end.
      fc.constantFrom(...bearers, ...cookies).map(text => `x${text}`),
      fc.constantFrom(...bearers, ...cookies).map(text => `${text.slice(0, -1)}x`),
      fc.constantFrom(...bearers, ...cookies).map(text => text.replace(/[a-z](?=.{30})/, 'x'))
    )
    const name = fc.constantFrom('Authorization', 'authorization', 'AUTHORIZATION', 'Cookie', 'cookie', 'Accept')
    const other = fc.constantFrom('X-Api-Key', 'X-Token', 'Cache-Control', 'If-None-Match')
    const lines = fc.array(fc.oneof({ weight: 5, arbitrary: fc.tuple(name, value) }, fc.tuple(other, value)), {
      maxLength: 2
    })
    const one = fc.oneof(
      fc.constant<Line[]>([]),
      fc.constantFrom(...known).map(line => [line])
    )
    const more = fc.record({
      method: fc.constantFrom('GET', 'POST'),
      url: fc.constantFrom('/', `/?token=${ada}`)
    })
    const origin = fc.constantFrom<Line[]>([], [], [['Origin', 'https://evil.example']])
    for (const places of [{}, { header: 'x-token' }, { query: 'token' }, { extract: () => null }]) {
      const warm = pipelineOf(places, 1000)
      const cold = pipelineOf(places, 0)
      for (const line of known) t.match(await ask(warm, sourceOf([line])), { decision: { outcome: 'authenticated' } })
      const property = fc.asyncProperty(one, lines, origin, more, async (one, lines, origin, more) => {
        const source = sourceOf([...one, ...lines, ...origin, ['Host', 'a.example']], more)
        assert.deepEqual(await ask(warm, source), await ask(cold, source))
      })
      await fc.assert(property, { numRuns: 1000 })
      const { recalled } = warm.recollections.stats
      if ('query' in places || 'extract' in places) t.equal(recalled, 0, 'the header alone does not decide there')
      else t.ok(recalled > 150, `${recalled} recalled`)
      t.equal(cold.recollections.stats.recalled, 0)
    }
  }
)

t.test('who is signed out meanwhile, or was never known, is not recalled as somebody', async t => {
  const pipeline = pipelineOf({}, 10)
  const token = signIn('Emmy Noether')
  const source = sourceOf([['Authorization', `Bearer ${token}`]])
  t.match(await ask(pipeline, source), { identity: { user: { name: 'Emmy Noether' } } })
  t.match(await ask(pipeline, source), { decision: { outcome: 'authenticated', kind: 'bearer-session' } })
  t.equal(pipeline.recollections.stats.recalled, 1)
  store.revoke(token)
  t.match(await ask(pipeline, source), { decision: { outcome: 'rejected', reason: 'no such session' } })
  const stranger = sourceOf([['Authorization', 'Bearer 0fOyRVonMqRyD20kP9QiCtTW5hNaYbXe']])
  for (let n = 0; n < 3; n++) t.match(await ask(pipeline, stranger), { decision: { outcome: 'rejected' } })
  t.equal(pipeline.recollections.stats.recalled, 2, 'nobody was known by that one')
})

t.test('a kind that does not say what it looks at is always asked, and so are those after it', async t => {
  let asked = 0
  const silent: CredentialKind = {
    name: 'silent',
    extract: ({ headers }) => {
      asked++
      return headers['x-silent'] === undefined ? null : 'a credential'
    },
    verify: () => timeless({ by: 'session-token', sessionToken: grace })
  }
  const pipeline = pipelineOf({}, 10, [silent])
  const line = ['Authorization', `Bearer ${ada}`] as const
  for (let n = 1; n <= 3; n++) {
    t.match(await ask(pipeline, sourceOf([line])), { identity: { user: { name: 'Ada Lovelace' } } })
    t.equal(asked, n)
  }
  t.match(await ask(pipeline, sourceOf([line, ['X-Silent', '']])), { identity: { user: { name: 'Grace Hopper' } } })
})

t.test('a header holds as long as its proof, and one that is very long is read each time', async t => {
  const now = { instant: 1500, isCurrent: true }
  const kind: CredentialKind = { name: 'any', headers: ['authorization'], extract: () => null, verify: () => proof }
  const proof = { ...timeless(), from: 1000, until: 2000, isCurrent: () => now.isCurrent }
  const recollections = createRecollections([kind], 2, () => now.instant)
  const source = sourceOf([['Authorization', 'Bearer x']])
  const carrier = recollections.carrierOf(source, kind)
  t.same(carrier, { name: 'authorization', text: 'Bearer x' })
  if (carrier === null) return
  recollections.keep(carrier, kind, proof)
  const recalled = () => recollections.recall(source) !== null
  for (const [instant, holds] of [
    [999, false],
    [1000, true],
    [1999, true],
    [2000, false],
    [1500, true]
  ] as const) {
    now.instant = instant
    t.equal(recalled(), holds, `at ${instant}`)
  }
  now.isCurrent = false
  t.equal(recalled(), false, 'its key is gone')
  const long = sourceOf([['Authorization', `Bearer ${'x'.repeat(2048)}`]])
  t.equal(recollections.carrierOf(long, kind), null)
})

t.test('a request that is changed while it is verified is kept by what was read of it', async t => {
  const slow: CredentialKind = {
    name: 'slow',
    headers: ['authorization'],
    extract: ({ headers }) => headers.authorization?.slice('Bearer '.length) ?? null,
    verify: async credential => timeless({ by: 'session-token', sessionToken: credential })
  }
  const pipeline = pipelineOf({}, 10, [slow])
  const source = sourceOf([['Authorization', `Bearer ${ada}`]])
  const answer = ask(pipeline, source)
  source.headers.authorization = `Bearer ${grace}`
  t.match(await answer, { identity: { user: { name: 'Ada Lovelace' } } })
  t.match(await ask(pipeline, source), { identity: { user: { name: 'Grace Hopper' } } })
})
