import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import Fastify from 'fastify'
import betterAuthUser, { type BetterAuthUserOptions } from 'fastify-better-auth-user'
import t from 'tap'
import { jwksFromUrl } from '../../src/crypto/jwks-url.ts'
import { createKeySet } from '../../src/crypto/key-set.ts'
import { accepts, refuses } from '../fixtures/attack.ts'
import { SECRET } from '../fixtures/better-auth.ts'
import { pss, segment, signCompact } from '../fixtures/sign-compact.ts'
import { buildTarget, makeKey, openTarget } from '../fixtures/target.ts'

type Test = { teardown(end: () => Promise<void>): void }
type Answer = (request: IncomingMessage, reply: ServerResponse) => void

/** A key set endpoint on a socket: it counts who asks, and answers as told. */
async function openEndpoint(t: Test, answer: Answer) {
  const endpoint = { url: '', visits: 0, answer, keys: [] as object[] }
  const server = createServer((request, reply) => {
    endpoint.visits++
    endpoint.answer(request, reply)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  endpoint.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return endpoint
}

async function openKeySet(t: Test, keys: object[] = []) {
  const endpoint = await openEndpoint(t, (_request, reply) => {
    reply.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: endpoint.keys }))
  })
  endpoint.keys = keys
  return endpoint
}

const publicJwk = (key: KeyObject, more: object = {}) => {
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...jwk } = key.export({ format: 'jwk' })
  return { ...jwk, ...more }
}

const target = await openTarget(t)
const { url, connectionString } = target.betterAuth
const issuer = { issuer: url, audience: url }
const key = makeKey('EdDSA')
const token = (kid: unknown, signer = key, alg = 'EdDSA', header: object = {}) =>
  signCompact({ alg, kid, ...header }, target.claims, signer, alg)
/** A service whose keys come from there. */
async function service(t: Test, source: string, more: object = {}) {
  const log: string[] = []
  const app = await buildTarget(
    t,
    connectionString,
    { hs256: true, checkAtStart: false, keySet: { source, ...issuer, ...more } },
    { log }
  )
  const ask = async (bearer: string) =>
    (await app.inject({ url: '/me', headers: { authorization: `Bearer ${bearer}` } })).statusCode
  return { ...target, app, log, ask }
}

t.test('made-up key ids do not make traffic', async t => {
  const endpoint = await openKeySet(t, [publicJwk(key, { kid: 'real' })])
  const here = await service(t, endpoint.url)
  for (let round = 0; round < 10; round++) {
    const storm = Array.from({ length: 40 }, (_, index) => here.ask(token(`made-up-${round}-${index}`)))
    t.same(new Set(await Promise.all(storm)), new Set([401]))
  }
  t.ok(endpoint.visits <= 2, `400 requests made ${endpoint.visits} fetches`)
  t.equal(await here.ask(token('real')), 200, 'and the real key still counts')
  t.ok(endpoint.visits <= 2)
})

t.test('an algorithm that is never accepted asks for no key', async t => {
  const endpoint = await openKeySet(t, [publicJwk(key, { kid: 'real' })])
  const here = await service(t, endpoint.url)
  for (const alg of ['none', 'ES256K', 'ES384', 'dir', 'EdDSA2', 'HS256', 'HS512']) {
    const unsigned = `${segment({ alg, kid: 'real' })}.${segment(target.claims)}.AAAA`
    t.equal(await here.ask(unsigned), 401, alg)
  }
  for (const kid of [undefined, '', 1, ['real'], 'k'.repeat(256)]) t.equal(await here.ask(token(kid)), 401)
  t.equal(endpoint.visits, 0)
  t.equal(await here.ask(token('real')), 200)
  t.equal(endpoint.visits, 1)
})

t.test('an unknown id makes the set look again once in a while, whatever came of it', async t => {
  const endpoint = await openKeySet(t, [publicJwk(key, { kid: 'first' })])
  const clock = { now: 1_000_000 }
  const keys = createKeySet(jwksFromUrl(endpoint.url, 1000), { now: () => clock.now, cooldownMs: 10_000 })
  t.match(await keys.find('first'), { kid: 'first' })
  t.equal(await keys.find('second'), null)
  t.equal(endpoint.visits, 2)
  for (let ask = 0; ask < 50; ask++) t.equal(await keys.find(`second-${ask}`), null)
  t.equal(endpoint.visits, 2, 'no fetch within the cooldown')
  endpoint.keys = [publicJwk(key, { kid: 'first' }), publicJwk(makeKey('EdDSA'), { kid: 'second' })]
  t.equal(await keys.find('second'), null)
  clock.now += 10_000
  t.match(await keys.find('second'), { kid: 'second' }, 'a key asked for before it was published is found after it')
  t.equal(endpoint.visits, 3)
  endpoint.answer = (_request, reply) => void reply.writeHead(500).end()
  clock.now += 10_000
  await t.rejects(keys.find('third'), { code: 'FST_BAU_KEYS_UNAVAILABLE' }, 'it may be new: nobody can know now')
  t.equal(endpoint.visits, 4)
  for (let ask = 0; ask < 50; ask++) await t.rejects(keys.find(`third-${ask}`), { code: 'FST_BAU_KEYS_UNAVAILABLE' })
  t.equal(endpoint.visits, 4, 'failed fetches have a cooldown, too')
  t.match(await keys.find('first'), { kid: 'first' }, 'known keys go on')
})

t.test('an outage: bounded fetches, old keys for a bounded time, then 503', async t => {
  const endpoint = await openKeySet(t, [publicJwk(key, { kid: 'known' })])
  const serve = endpoint.answer
  const fail: Answer = (_request, reply) => void reply.writeHead(502).end('Bad Gateway')
  const clock = { now: 1_000_000 }
  const keys = createKeySet(jwksFromUrl(endpoint.url, 1000), {
    now: () => clock.now,
    maxAgeMs: 600_000,
    maxStaleMs: 3_600_000,
    cooldownMs: 10_000
  })
  endpoint.answer = fail
  for (let ask = 0; ask < 100; ask++) await t.rejects(keys.find('known'), { code: 'FST_BAU_KEYS_UNAVAILABLE' })
  t.equal(endpoint.visits, 1, 'a hundred requests at the start of an outage make one fetch')
  let visits = 0
  for (let second = 0; second < 120; second++) {
    clock.now += 1000
    await t.rejects(keys.find('known'), { code: 'FST_BAU_KEYS_UNAVAILABLE' })
  }
  visits = endpoint.visits
  t.ok(visits >= 10 && visits <= 18, `two minutes of requests make ${visits} fetches`)
  endpoint.answer = serve
  clock.now += 10_000
  t.match(await keys.find('known'), { kid: 'known' }, 'over when the endpoint is back')

  endpoint.answer = fail
  clock.now += 600_000
  t.match(await keys.find('known'), { kid: 'known' }, 'old keys serve')
  clock.now += 3_599_999
  t.match(await keys.find('known'), { kid: 'known' }, 'until an hour is over')
  clock.now += 1
  await t.rejects(keys.find('known'), { code: 'FST_BAU_KEYS_UNAVAILABLE' }, 'and no longer')
  endpoint.answer = serve
  endpoint.keys = []
  clock.now += 10_000
  t.equal(await keys.find('known'), null, 'a key that is gone when the endpoint is back is gone')
})

t.test('while an issuer that keeps silent is asked again, nobody waits who has a key', async t => {
  const endpoint = await openKeySet(t, [publicJwk(key, { kid: 'known' })])
  const serve = endpoint.answer
  const clock = { now: 1_000_000 }
  const keys = createKeySet(jwksFromUrl(endpoint.url, 1000), { now: () => clock.now, maxAgeMs: 600_000 })
  const waited = async () => {
    const started = performance.now()
    t.match(await keys.find('known'), { kid: 'known' })
    return performance.now() - started
  }
  await waited()
  endpoint.answer = () => {}
  clock.now += 600_000
  t.ok((await waited()) >= 900, 'the first does, as the key may have been withdrawn')
  clock.now += 60_000
  t.ok((await waited()) < 500, 'the others are served with what is known')
  await t.rejects(keys.find('unknown'), { code: 'FST_BAU_KEYS_UNAVAILABLE' }, 'who has none waits')
  t.equal(endpoint.visits, 3, 'for it is asked again meanwhile')
  endpoint.answer = serve
  endpoint.keys = []
  clock.now += 60_000
  await waited()
  t.equal(await keys.find('unknown'), null)
  t.equal(await keys.find('known'), null, 'what was withdrawn in an outage is noticed at its end')
})

t.test('a wall clock that is set back hides no key', async t => {
  const { now } = Date
  let setBackBy = 0
  // Only for as long as nobody else can look at the clock: nothing here waits for input or a timer.
  Date.now = () => now() - setBackBy
  try {
    const published = ['first']
    const load = async () => published.map(kid => ({ kid, jwk: publicJwk(key), alg: null }))
    const keys = createKeySet(load, { cooldownMs: 0 })
    t.match(await keys.find('first'), { kid: 'first' })
    setBackBy = 3_600_000
    published.push('second')
    t.match(await keys.find('second'), { kid: 'second' })
  } finally {
    Date.now = now
  }
})

t.test('rotation: the new key at once, the old one while it is published', async t => {
  const [older, newer] = [makeKey('EdDSA'), makeKey('ES256')]
  const endpoint = await openKeySet(t, [publicJwk(older, { kid: 'older' })])
  const clock = { now: 1_000_000 }
  const keys = createKeySet(jwksFromUrl(endpoint.url, 1000), { now: () => clock.now, maxAgeMs: 600_000 })
  t.match(await keys.find('older'), { kid: 'older' })
  endpoint.keys = [publicJwk(older, { kid: 'older' }), publicJwk(newer, { kid: 'newer' })]
  t.match(await keys.find('newer'), { kid: 'newer', algorithms: ['ES256'] })
  t.match(await keys.find('older'), { kid: 'older', algorithms: ['EdDSA', 'Ed25519'] })
  endpoint.keys = [publicJwk(newer, { kid: 'newer' })]
  clock.now += 599_999
  t.match(await keys.find('older'), { kid: 'older' })
  clock.now += 1
  t.equal(await keys.find('older'), null, 'withdrawn keys end with the age of the set')
})

t.test('keys that must not verify are left out, and the others still do', async t => {
  const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).privateKey
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey
  const big = rsa(2048)
  const p256 = ec('P-256')
  const bad: [string, KeyObject, string, object][] = [
    ['RSA of 1024 bits', rsa(1024), 'RS256', {}],
    ['RSA of 2047 bits', rsa(2047), 'RS256', {}],
    ['RSA with the exponent 1', big, 'RS256', { e: 'AQ' }],
    ['RSA for encryption, by use', big, 'RS256', { use: 'enc' }],
    ['RSA for encryption, by alg', big, 'RS256', { alg: 'RSA-OAEP-256' }],
    ['RSA for encryption, by key_ops', big, 'RS256', { key_ops: ['encrypt', 'wrapKey'] }],
    ['RSA for another hash', big, 'RS256', { alg: 'RS512' }],
    ['RSA with a use nobody knows', big, 'RS256', { use: 'SIG' }],
    ['RSA without its modulus', big, 'RS256', { n: undefined }],
    ['RSA with a modulus that is no text', big, 'RS256', { n: 5 }],
    ['secp256k1', ec('secp256k1'), 'ES256K', {}],
    ['secp256k1 that calls itself P-256', ec('secp256k1'), 'ES256', { crv: 'P-256' }],
    ['P-384', ec('P-384'), 'ES256', {}],
    ['P-256 for key agreement', p256, 'ES256', { alg: 'ECDH-ES' }],
    ['P-256 for key agreement, by key_ops', p256, 'ES256', { key_ops: ['deriveBits'] }],
    ['P-256 beside its curve', p256, 'ES256', { x: Buffer.alloc(32, 1).toString('base64url') }],
    ['P-256 without a half', p256, 'ES256', { y: undefined }],
    ['Ed448', generateKeyPairSync('ed448').privateKey, 'EdDSA', {}],
    ['Ed25519 of 31 bytes', key, 'EdDSA', { x: Buffer.alloc(31).toString('base64url') }],
    ['Ed25519 that calls itself X25519', key, 'EdDSA', { crv: 'X25519' }],
    ['a type nobody knows', key, 'EdDSA', { kty: 'AKP' }],
    ['no type', key, 'EdDSA', { kty: undefined }]
  ]
  const entries = bad.map(([what, key, , changes]) => publicJwk(key, { kid: what, ...changes }))
  const junk: unknown[] = [
    null,
    1,
    'x',
    [],
    {},
    publicJwk(key),
    publicJwk(key, { kid: 1 }),
    publicJwk(key, { kid: '' }),
    publicJwk(key, { kid: null })
  ]
  const shared = {
    kty: 'oct',
    k: Buffer.from('Jq3vT8yB1nM6kP0sD4fG7hL2zX5cW9aR').toString('base64url'),
    kid: 'shared',
    alg: 'HS256'
  }
  const endpoint = await openKeySet(t, [...(junk as object[]), ...entries, shared, publicJwk(key, { kid: 'good' })])
  const here = await service(t, endpoint.url)
  await refuses(t, here, [
    ...bad.map(([what, key, alg]) => ({ why: what, bearer: token(what, key, alg) })),
    {
      why: 'a shared secret among public keys',
      bearer: signCompact({ alg: 'HS256', kid: 'shared' }, target.claims, 'Jq3vT8yB1nM6kP0sD4fG7hL2zX5cW9aR')
    },
    { why: 'PS256 under an RSA key that is said to be for RS512', bearer: ps256('RSA for another hash', big) },
    { why: 'RSA with the exponent 1, where the text signs itself', bearer: selfSigned('RSA with the exponent 1') },
    { why: 'no id', bearer: token(undefined) },
    { why: 'an empty id', bearer: token('') },
    { why: 'a number as id', bearer: token(1) }
  ])
  await accepts(t, here, [{ why: 'the good key among them', bearer: token('good') }])
  const leftOut = here.log.map(line => JSON.parse(line)).filter(({ msg }) => /is left out/.test(msg))
  t.same(
    new Set(leftOut.map(({ kid }) => kid)),
    new Set([...bad.map(([what]) => what), 'shared']),
    'and the log names each'
  )
})

t.test('keys in unusual dress that do verify', async t => {
  const rsa = makeKey('RS256')
  const p256 = makeKey('ES256')
  const endpoint = await openKeySet(t, [
    publicJwk(key, { kid: '__proto__' }),
    publicJwk(key, { kid: 'constructor' }),
    publicJwk(key, { kid: "'; drop table jwks; --" }),
    publicJwk(key, { kid: 'with ops', key_ops: ['verify'], use: 'sig' }),
    publicJwk(key, { kid: 'misadvertised', alg: 'ES256' }),
    publicJwk(p256, { kid: 'misadvertised too', alg: 'EdDSA' }),
    publicJwk(rsa, { kid: 'said to be for PS256', alg: 'PS256' }),
    publicJwk(rsa, { kid: 'unsaid' }),
    publicJwk(rsa, { kid: 'misadvertised as well', alg: 'EdDSA' }),
    { ...key.export({ format: 'jwk' }), kid: 'published with its private half' }
  ])
  const here = await service(t, endpoint.url)
  await accepts(t, here, [
    { why: '__proto__', bearer: token('__proto__') },
    { why: 'constructor', bearer: token('constructor') },
    { why: 'SQL', bearer: token("'; drop table jwks; --") },
    { why: 'with its purpose said', bearer: token('with ops') },
    { why: 'Ed25519 advertised as ES256', bearer: token('misadvertised') },
    { why: 'P-256 advertised as EdDSA', bearer: token('misadvertised too', p256, 'ES256') },
    { why: 'RSA for PS256', bearer: ps256('said to be for PS256', rsa) },
    { why: 'RSA for nothing in particular', bearer: token('unsaid', rsa, 'RS256') },
    { why: 'RSA advertised as EdDSA', bearer: token('misadvertised as well', rsa, 'RS256') },
    { why: 'with its private half', bearer: token('published with its private half') }
  ])
  await refuses(t, here, [
    { why: 'toString', bearer: token('toString') },
    { why: 'RS256 with the key for PS256', bearer: token('said to be for PS256', rsa, 'RS256') },
    { why: 'PS256 with a key that says nothing', bearer: ps256('unsaid', rsa) },
    { why: 'ES256 with the key that is advertised so', bearer: token('misadvertised', p256, 'ES256') }
  ])
  const { d = '' } = key.export({ format: 'jwk' })
  t.notMatch(here.log.join(), d, 'the private half is not in the log')
  const other = await service(t, endpoint.url, { rsaAlgorithm: 'PS256' })
  t.equal(await other.ask(ps256('unsaid', rsa)), 200, 'unless the configuration says PS256')
  t.equal(await other.ask(token('unsaid', rsa, 'RS256')), 401)
})

t.test('answers that are no key set are an outage, and nothing else', async t => {
  const attacker = makeKey('EdDSA')
  const elsewhere = await openKeySet(t, [publicJwk(attacker, { kid: 'known' })])
  const good = JSON.stringify({ keys: [publicJwk(key, { kid: 'known' })] })
  const json =
    (body: string | Buffer, headers: Record<string, string> = {}): Answer =>
    (_request, reply) => {
      reply.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body)
    }
  const drip: Answer = (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => reply.write(' '), 20)
    reply.on('close', () => clearInterval(timer))
  }
  const endless: Answer = (_request, reply) => {
    reply.writeHead(200, { 'content-type': 'application/json' }).write('{"keys":[')
    const more = () => {
      while (!reply.destroyed && reply.write('0,'.repeat(8192)));
      if (!reply.destroyed) reply.once('drain', more)
    }
    more()
  }
  const answers: [string, Answer][] = [
    ...[301, 302, 303, 307, 308].map((status): [string, Answer] => [
      `a redirect (${status})`,
      (_request, reply) => void reply.writeHead(status, { location: elsewhere.url }).end()
    ]),
    ...[201, 204, 304, 400, 401, 403, 404, 429, 500, 503].map((status): [string, Answer] => [
      `status ${status}`,
      (_request, reply) =>
        void reply.writeHead(status).end(status === 204 || status === 304 ? undefined : status === 201 ? '' : good)
    ]),
    ['nothing', json('')],
    ['a page', json('<!doctype html><title>Sign in</title>')],
    ['half a key set', json(good.slice(0, -3))],
    ['a key set and more', json(`${good}x`)],
    ['null', json('null')],
    ['a list', json('[]')],
    ['a number', json('1')],
    ['an object without keys', json('{}')],
    ['keys that are an object', json('{"keys":{"known":{}}}')],
    ['keys that are null', json('{"keys":null}')],
    ['lists in lists', json(`{"keys":${'['.repeat(100_000)}`)],
    ['300 KiB of white space before the keys', json(' '.repeat(300 * 1024) + good)],
    [
      '300 KiB that say they are less',
      (_request, reply) => void reply.writeHead(200, { 'content-length': '300' }).end(' '.repeat(300))
    ],
    ['10 MiB, zipped to nothing', json(gzipSync(' '.repeat(10 * 1024 * 1024) + good), { 'content-encoding': 'gzip' })],
    ['a broken zip', json('no zip', { 'content-encoding': 'gzip' })],
    ['no end', endless],
    ['no answer', () => {}],
    ['a drop at a time', drip],
    ['a closed connection', request => void request.socket.destroy()],
    [
      'half an answer',
      (_request, reply) => void reply.writeHead(200, { 'content-length': '1000' }).write(good, () => reply.destroy())
    ]
  ]
  const before = process.memoryUsage().rss
  for (const [what, answer] of answers) {
    const endpoint = await openEndpoint(t, answer)
    const here = await service(t, endpoint.url, { timeoutMs: 300 })
    await refuses(t, here, [{ why: what, bearer: token('known'), status: 503, code: 'FST_BAU_KEYS_UNAVAILABLE' }])
    const reply = await here.app.inject({ url: '/me', headers: { authorization: `Bearer ${token('known')}` } })
    t.equal(reply.headers['retry-after'], '1')
    t.notOk(reply.body.includes(endpoint.url), `${what}: where the keys are is nobody's business`)
    t.ok(endpoint.visits <= 2, `${what}: ${endpoint.visits} fetches for five requests`)
    t.equal(await here.ask(target.hs256()), 200, `${what}: tokens that need no such key go on`)
  }
  t.equal(elsewhere.visits, 0, 'no redirect was followed')
  t.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024, 'and no answer was kept')
  const big = await openEndpoint(t, json(' '.repeat(200 * 1024) + good))
  t.equal(await (await service(t, big.url)).ask(token('known')), 200, '200 KiB are read')
  const zipped = await openEndpoint(t, json(gzipSync(good), { 'content-encoding': 'gzip' }))
  t.equal(await (await service(t, zipped.url)).ask(token('known')), 200, 'and so is a zipped set')
})

t.test('nobody waits for a fetch when the service closes', async t => {
  const endpoint = await openEndpoint(t, () => {})
  const app = Fastify()
  const options: BetterAuthUserOptions = {
    secret: SECRET,
    identityStore: { find: async () => null },
    checkAtStart: false,
    keySet: { source: endpoint.url, ...issuer, timeoutMs: 20_000 }
  }
  await app.register(betterAuthUser, options)
  app.get('/me', { onRequest: app.requireUser() }, async () => 'ok')
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  let gone = false
  const asked = new Promise<void>(resolve => {
    endpoint.answer = request => {
      request.socket.once('close', () => {
        gone = true
      })
      resolve()
    }
  })
  // Without keep-alive: Fastify would wait for that connection, too.
  const { port } = new URL(address)
  const waiting = new Promise<number | undefined>((resolve, reject) => {
    const headers = { authorization: `Bearer ${token('known')}`, connection: 'close' }
    get({ host: '127.0.0.1', port, path: '/me', headers, agent: false }, reply =>
      resolve(reply.resume().statusCode)
    ).on('error', reject)
  })
  await asked
  const started = performance.now()
  await app.close()
  t.ok(performance.now() - started < 5000, 'the service closes at once')
  t.equal(await waiting, 503, 'whoever waited is told to come again')
  while (!gone && performance.now() - started < 5000) await new Promise(resolve => setTimeout(resolve, 10))
  t.ok(gone, 'the connection to the endpoint is closed')
})

t.test('keys from the table: the same rules', async t => {
  const { pool } = target.betterAuth
  const insert = (id: string, publicKey: unknown, alg: string | null = null, expires: string | null = null) =>
    pool.query(
      `insert into jwks (id, "publicKey", "privateKey", "createdAt", alg, "expiresAt")
       values ($1, $2, 'sealed', now(), $3, now() + $4::interval)`,
      [id, typeof publicKey === 'string' ? publicKey : JSON.stringify(publicKey), alg, expires]
    )
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  const koblitz = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey
  await insert('small', publicJwk(small), 'RS256')
  await insert('koblitz', publicJwk(koblitz), 'ES256')
  await insert('for encryption', publicJwk(key, { use: 'enc' }), 'EdDSA')
  await insert('of no use', publicJwk(key), 'ECDH-ES')
  await insert('no JSON', '{', 'EdDSA')
  await insert('null', 'null', 'EdDSA')
  await insert('a list', '[]', 'EdDSA')
  await insert('a text', '"x"', 'EdDSA')
  await insert('shared', { kty: 'oct', k: 'a'.repeat(43) }, 'HS256')
  await insert('long ended', publicJwk(key), 'EdDSA', '-31 days')
  await insert('just ended', publicJwk(key), 'EdDSA', '-29 days')
  await insert('to end', publicJwk(key), 'EdDSA', '1 hour')
  await insert('legacy', publicJwk(key))
  await insert('misadvertised', publicJwk(key), 'ES256')
  await insert('with its private half', key.export({ format: 'jwk' }), 'EdDSA')
  const here = await service(t, 'database')
  await refuses(t, here, [
    { why: 'RSA of 1024 bits', bearer: token('small', small, 'RS256') },
    { why: 'secp256k1', bearer: token('koblitz', koblitz, 'ES256') },
    ...['for encryption', 'of no use', 'no JSON', 'null', 'a list', 'a text', 'long ended'].map(kid => ({
      why: kid,
      bearer: token(kid)
    })),
    {
      why: 'shared',
      bearer: signCompact({ alg: 'HS256', kid: 'shared' }, target.claims, Buffer.from('a'.repeat(43), 'base64url'))
    }
  ])
  await accepts(
    t,
    here,
    ['just ended', 'to end', 'legacy', 'misadvertised', 'with its private half'].map(kid => ({
      why: kid,
      bearer: token(kid)
    }))
  )
  const strict = await service(t, 'database', { gracePeriod: 0 })
  t.equal(await strict.ask(token('just ended')), 401, 'without grace an ended key has ended')
  t.equal(await strict.ask(token('to end')), 200)
  t.notMatch(here.log.join(), String(key.export({ format: 'jwk' }).d), 'no private half in the log')
  t.notMatch(here.log.join(), 'sealed')
})

/** An RS256 token that anybody can make for a key with the exponent 1: its signature is the padded digest (RFC 8017 §9.2). */
function selfSigned(kid: string): string {
  const text = `${segment({ alg: 'RS256', kid })}.${segment(target.claims)}`
  const digest = Buffer.concat([
    Buffer.from('3031300d060960864801650304020105000420', 'hex'),
    createHash('sha256').update(text).digest()
  ])
  const padding = Buffer.alloc(256 - 3 - digest.length, 0xff)
  return `${text}.${Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), digest]).toString('base64url')}`
}

function ps256(kid: string, key: KeyObject): string {
  const text = `${segment({ alg: 'PS256', kid })}.${segment(target.claims)}`
  return `${text}.${pss(text, key, 32).toString('base64url')}`
}
