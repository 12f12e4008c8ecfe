import { createSign, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { type Attack, accepts, refuses } from '../fixtures/attack.ts'
import { pss, segment, signCompact } from '../fixtures/sign-compact.ts'
import { ALGORITHMS, type Json, makeKey, openTarget } from '../fixtures/target.ts'

// Tokens of Better Auth's jwt plugin, with Ada's real claims; the issuer has one key of each algorithm.
const target = await openTarget(t)
const { keys, claims } = target

t.test('the key decides which algorithm signs', async t => {
  const attacks: Attack[] = []
  for (const alg of ALGORITHMS) {
    const { kid, privateKey } = keys[alg]
    for (const said of [...ALGORITHMS, 'Ed448', 'ES256K', 'ES384', 'RS512', 'PS512', 'RSA1_5', 'ECDH-ES', '']) {
      if (said === alg) continue
      attacks.push({
        why: `${said || 'no name'} in the header, the ${alg} key`,
        bearer: signCompact({ alg: said, kid }, claims, privateKey, alg)
      })
    }
    for (const other of ALGORITHMS) {
      if (other === alg) continue
      attacks.push({
        why: `the kid of ${alg} over the key of ${other}`,
        bearer: signCompact({ alg: other, kid }, claims, keys[other].privateKey)
      })
    }
  }
  attacks.push({
    why: 'EdDSA by its newer name in another case',
    bearer: signCompact({ alg: 'ED25519', kid: keys.EdDSA.kid }, claims, keys.EdDSA.privateKey, 'EdDSA')
  })
  await refuses(t, target, attacks)
  await accepts(t, target, [
    ...ALGORITHMS.map(alg => ({ why: `${alg} under its own key`, bearer: target.token(alg) })),
    { why: 'EdDSA by its newer name (RFC 9864)', bearer: target.token('EdDSA', {}, { alg: 'Ed25519' }) }
  ])
})

t.test('the signature is checked, all of it', async t => {
  for (const alg of ALGORITHMS) {
    const { kid, privateKey } = keys[alg]
    const real = target.token(alg)
    const [header = '', payload = '', signature = ''] = real.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    const signed = (signature: Uint8Array | string) =>
      `${header}.${payload}.${typeof signature === 'string' ? signature : Buffer.from(signature).toString('base64url')}`
    const flipped = (index: number) => Buffer.from(bytes.map((byte, at) => (at === index ? byte ^ 0x80 : byte)))
    await refuses(t, target, [
      { why: `${alg}: another key of the same sort`, bearer: target.token(alg, {}, {}, makeKey(alg)) },
      { why: `${alg}: no signature`, bearer: signed('') },
      {
        why: `${alg}: the signature of another payload`,
        bearer: signed(target.token(alg, { sub: target.grace.user.id }).split('.')[2] ?? '')
      },
      {
        why: `${alg}: another payload before the signature`,
        bearer: `${header}.${segment({ ...claims, sub: target.grace.user.id })}.${signature}`
      },
      { why: `${alg}: first bit flipped`, bearer: signed(flipped(0)) },
      { why: `${alg}: last byte flipped`, bearer: signed(flipped(bytes.length - 1)) },
      { why: `${alg}: half`, bearer: signed(bytes.subarray(0, bytes.length / 2)) },
      { why: `${alg}: one byte less`, bearer: signed(bytes.subarray(0, -1)) },
      { why: `${alg}: one byte more`, bearer: signed(Buffer.concat([bytes, Buffer.from([0])])) },
      { why: `${alg}: a zero byte in front`, bearer: signed(Buffer.concat([Buffer.from([0]), bytes])) },
      { why: `${alg}: twice`, bearer: signed(Buffer.concat([bytes, bytes])) },
      { why: `${alg}: one character more`, bearer: signed(`${signature}A`) },
      { why: `${alg}: all zero`, bearer: signed(Buffer.alloc(bytes.length)) },
      { why: `${alg}: all ones`, bearer: signed(Buffer.alloc(bytes.length, 255)) },
      {
        why: `${alg}: over the same claims with the header of another kid`,
        bearer: `${segment({ alg, kid, typ: 'JWT' })}.${payload}.${signature}`
      }
    ])
    await accepts(t, target, [{ why: `${alg}: untouched`, bearer: target.token(alg, {}, {}, privateKey) }])
  }
})

t.test('signatures in forms that only look alike', async t => {
  const { kid: ed, privateKey: edKey } = keys.EdDSA
  const { kid: ec, privateKey: ecKey } = keys.ES256
  const { kid: ps, privateKey: psKey } = keys.PS256
  const { kid: rs, privateKey: rsKey } = keys.RS256
  const over = (header: object, sign: (text: string) => Buffer) => {
    const text = `${segment(header)}.${segment(claims)}`
    return `${text}.${sign(text).toString('base64url')}`
  }
  await refuses(t, target, [
    {
      why: 'ES256 as DER',
      bearer: over({ alg: 'ES256', kid: ec }, text => createSign('sha256').update(text).sign(ecKey))
    },
    {
      why: 'ES256 over SHA-384',
      bearer: over({ alg: 'ES256', kid: ec }, text =>
        sign('sha384', Buffer.from(text), { key: ecKey, dsaEncoding: 'ieee-p1363' })
      )
    },
    {
      why: 'ES256 with r of one and s of zero',
      bearer: over({ alg: 'ES256', kid: ec }, () =>
        Buffer.concat([Buffer.alloc(31), Buffer.from([1]), Buffer.alloc(32)])
      )
    },
    {
      why: 'ES256 with r and s of the order of the group',
      bearer: over({ alg: 'ES256', kid: ec }, () =>
        Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'.repeat(2), 'hex')
      )
    },
    {
      why: 'EdDSA with s beyond the order of the group',
      bearer: over({ alg: 'EdDSA', kid: ed }, text => beyondOrder(sign(null, Buffer.from(text), edKey)))
    },
    {
      why: 'EdDSA over the text encoded once more',
      bearer: over({ alg: 'EdDSA', kid: ed }, text => sign(null, Buffer.from(segment(text)), edKey))
    },
    { why: 'PS256 with an empty salt', bearer: over({ alg: 'PS256', kid: ps }, text => pss(text, psKey, 0)) },
    { why: 'PS256 with a salt of 20 bytes', bearer: over({ alg: 'PS256', kid: ps }, text => pss(text, psKey, 20)) },
    { why: 'PS256 with the longest salt', bearer: over({ alg: 'PS256', kid: ps }, text => pss(text, psKey, 222)) },
    {
      why: 'RS256 over SHA-1',
      bearer: over({ alg: 'RS256', kid: rs }, text => sign('sha1', Buffer.from(text), rsKey))
    },
    {
      why: 'RS256 over SHA-512',
      bearer: over({ alg: 'RS256', kid: rs }, text => sign('sha512', Buffer.from(text), rsKey))
    },
    { why: 'RS256 padded as PS256', bearer: over({ alg: 'RS256', kid: rs }, text => pss(text, rsKey, 32)) }
  ])
  await accepts(t, target, [
    { why: 'ES256 as two numbers', bearer: target.token('ES256') },
    {
      why: 'PS256 with a salt as long as the hash',
      bearer: over({ alg: 'PS256', kid: ps }, text => pss(text, psKey, 32))
    }
  ])
})

t.test('a kid names a key of the issuer, or nothing', async t => {
  const { kid, privateKey } = keys.EdDSA
  const kids: [string, unknown][] = [
    ['another', 'yFgG3xwvT8yB1nM6kP0sD4fG7hL2zX5c'],
    ['empty', ''],
    ['with a space', ` ${kid}`],
    ['with a line break', `${kid}\n`],
    ['with NUL', `${kid}\0`],
    ['in lower case', kid.toLowerCase()],
    ['a part', kid.slice(0, -1)],
    ['256 characters', 'k'.repeat(256)],
    ['5000 characters', 'k'.repeat(5000)],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['toString', 'toString'],
    ['hasOwnProperty', 'hasOwnProperty'],
    ['SQL', "' or '1'='1"],
    ['more SQL', `'; drop table jwks; --`],
    ['a path', '../../../../dev/null'],
    ['an address', 'https://attacker.example/jwks.json'],
    ['alg and kid joined', `EdDSA:${kid}`],
    ['kid and issuer joined', `${kid}:${target.betterAuth.url}`],
    ['a command', '|| id'],
    ['a number', 1],
    ['zero', 0],
    ['true', true],
    ['null', null],
    ['a list', [kid]],
    ['an object', { toString: kid }],
    ['absent', undefined]
  ]
  await refuses(
    t,
    target,
    kids.map(([what, kid]) => ({ why: `kid ${what}`, bearer: signCompact({ alg: 'EdDSA', kid }, claims, privateKey) }))
  )
  await accepts(t, target, [{ why: 'the real kid', bearer: target.token('EdDSA') }])
})

t.test('keys in the header are ignored, and nobody is asked for them', async t => {
  let visits = 0
  const attacker = makeKey('EdDSA')
  const { kid } = keys.EdDSA
  const { x, crv, kty } = attacker.export({ format: 'jwk' })
  const jwk = { kty, crv, x, kid, alg: 'EdDSA' }
  const server = createServer((_request, reply) => {
    visits++
    reply.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  const headers: [string, object][] = [
    ['jwk', { jwk }],
    ['jwk with a known kid', { jwk, kid }],
    ['jku', { jku: url }],
    ['jku with a known kid', { jku: url, kid }],
    ['x5u', { x5u: url, kid }],
    ['x5c', { x5c: [attacker.export({ format: 'der', type: 'pkcs8' }).toString('base64')], kid }],
    ['kid that is an address', { kid: url }],
    ['iss in the header', { iss: url, kid }],
    ['epk', { epk: jwk, kid }]
  ]
  await refuses(
    t,
    target,
    headers.map(([what, header]) => ({ why: what, bearer: signCompact({ alg: 'EdDSA', ...header }, claims, attacker) }))
  )
  t.equal(visits, 0, "the attacker's server was never asked")
  await accepts(t, target, [
    {
      why: "the issuer's token, although its header brings a key",
      bearer: target.token('EdDSA', {}, { jwk, jku: url })
    }
  ])
  t.equal(visits, 0)
})

t.test('extensions that must be understood are not', async t => {
  const headers: [string, Json][] = [
    ['unknown', { crit: ['http://example.invalid/x'], 'http://example.invalid/x': true }],
    ['exp', { crit: ['exp'], exp: claims.exp }],
    ['b64 (RFC 7797)', { crit: ['b64'], b64: true }],
    ['b64 false', { crit: ['b64'], b64: false }],
    ['b64 that is not said to be critical', { b64: false }],
    ['of no entries', { crit: [] }],
    ['of another type', { crit: 'exp' }],
    ['null', { crit: null }],
    ['naming a registered parameter', { crit: ['alg'] }],
    ['naming what is absent', { crit: ['absent'] }]
  ]
  for (const [what, header] of headers) {
    await refuses(t, target, [
      ...ALGORITHMS.map(alg => ({ why: `${alg}, crit ${what}`, bearer: target.token(alg, {}, header) })),
      { why: `HS256, crit ${what}`, bearer: target.hs256({}, header) }
    ])
  }
  await accepts(t, target, [
    {
      why: 'unknown parameters that are not critical',
      bearer: target.token('EdDSA', {}, { 'http://example.invalid/x': true, cty: 'JWT' })
    }
  ])
})

/** The same signature with the order of the group added to s: Ed25519 without the check of RFC 8032 §5.1.7 accepts it. */
function beyondOrder(signature: Buffer): Buffer {
  const order = (1n << 252n) + 27742317777372353535851937790883648493n
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()])
}
