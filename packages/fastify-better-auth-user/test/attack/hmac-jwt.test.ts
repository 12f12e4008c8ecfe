import { createHash, createHmac } from 'node:crypto'
import t from 'tap'
import { accepts, refuses } from '../fixtures/attack.ts'
import { SECRET } from '../fixtures/better-auth.ts'
import { segment, signCompact } from '../fixtures/sign-compact.ts'
import { ALGORITHMS, buildTarget, keySet, openTarget } from '../fixtures/target.ts'

// HS256 tokens with Ada's real claims. What is wrong is the key, or what the header says of it.
const target = await openTarget(t)

t.test('a public key is no secret', async t => {
  for (const alg of ALGORITHMS) {
    const { kid, publicKey, publicJwk } = target.keys[alg]
    const pem = publicKey.export({ format: 'pem', type: 'spki' }) as string
    const jwk = { ...publicJwk, kid, alg }
    const texts: [string, string | Buffer][] = [
      ['PEM', pem],
      ['PEM without its last line break', pem.trim()],
      ['PEM after a line break', `\n ${pem}`],
      ['PEM after a comment', `# c\n${pem}`],
      ['PEM after NUL', `\0${pem}`],
      ['PEM after a zero-width space', `\u200b${pem}`],
      ['PEM after a byte order mark', `\ufeff${pem}`],
      ['PEM in one line', pem.replaceAll('\n', '')],
      ['PEM with escaped line breaks', pem.replaceAll('\n', '\\n')],
      ['DER', publicKey.export({ format: 'der', type: 'spki' })],
      ['DER in base64', publicKey.export({ format: 'der', type: 'spki' }).toString('base64')],
      ['JWK', JSON.stringify(jwk)],
      ['JWK as the table has it', JSON.stringify(publicJwk)],
      ['JWKS', JSON.stringify({ keys: [jwk] })],
      ['x or n', String(publicJwk.x ?? publicJwk.n)],
      ['the bytes of x or n', Buffer.from(String(publicJwk.x ?? publicJwk.n), 'base64url')]
    ]
    if (publicJwk.kty === 'RSA') texts.push(['PKCS #1', publicKey.export({ format: 'pem', type: 'pkcs1' })])
    for (const header of [{}, { kid }]) {
      await refuses(
        t,
        target,
        texts.map(([what, key]) => ({
          why: `${alg} public key as ${what}${header.kid ? ', its kid named' : ''}`,
          bearer: target.hs256({}, header, key)
        }))
      )
    }
  }
  await accepts(t, target, [
    { why: 'the shared secret', bearer: target.hs256() },
    {
      why: 'the shared secret, although the header names a key',
      bearer: target.hs256({}, { kid: target.keys.RS256.kid })
    }
  ])
})

t.test('nothing close to the secret is the secret', async t => {
  const keys: Record<string, string | Buffer> = {
    'an empty key': '',
    undefined: 'undefined',
    null: 'null',
    'a zero byte': '\0',
    'the secret and a line break': `${SECRET}\n`,
    'the secret in quotes': `"${SECRET}"`,
    'the secret in lower case': SECRET.toLowerCase(),
    'the secret less a character': SECRET.slice(0, -1),
    'the secret twice': SECRET + SECRET,
    'the secret decoded from base64': Buffer.from(SECRET, 'base64'),
    'the secret in base64': Buffer.from(SECRET).toString('base64'),
    'the secret in hex': Buffer.from(SECRET).toString('hex'),
    'the digest of the secret': createHash('sha256').update(SECRET).digest(),
    "Better Auth's published default": 'better-auth-secret-12345678901234567890',
    'the secret of another deployment': 'another secret of thirty-two byte',
    "a user's session token": target.ada.token,
    "a user's id": target.ada.user.id
  }
  await refuses(
    t,
    target,
    Object.entries(keys).map(([why, key]) => ({ why, bearer: target.hs256({}, {}, key) }))
  )
  await accepts(t, target, [{ why: 'the secret', bearer: target.hs256() }])
})

t.test('the header does not choose the algorithm', async t => {
  const { claims, keys } = target
  const real = target.hs256()
  const [, payload, signature] = real.split('.')
  const attacks = [
    ...[
      'none',
      'None',
      'NONE',
      'nOnE',
      '',
      ' ',
      'HS',
      'hs256',
      'Hs256',
      'HS256 ',
      'HS1',
      'HS384',
      'HS512',
      'SHA256',
      'dir'
    ].map(alg => ({
      why: `alg ${JSON.stringify(alg)} over the signature of HS256`,
      bearer: signCompact({ alg }, claims, SECRET, 'HS256')
    })),
    ...['none', 'None', 'NONE', 'nOnE'].flatMap(alg => [
      { why: `alg ${alg} without a signature`, bearer: `${segment({ alg })}.${payload}.` },
      { why: `alg ${alg} with a known kid`, bearer: `${segment({ alg, kid: keys.EdDSA.kid })}.${payload}.` },
      { why: `alg ${alg} keeping a signature`, bearer: `${segment({ alg })}.${payload}.${signature}` }
    ]),
    ...['HS384', 'HS512'].map(alg => ({
      why: `${alg} under the secret`,
      bearer: signCompact({ alg }, claims, SECRET)
    })),
    ...['HS384', 'HS512'].map(alg => ({
      why: `HS256 in the header, ${alg} in truth`,
      bearer: signCompact({ alg: 'HS256' }, claims, SECRET, alg)
    })),
    ...ALGORITHMS.flatMap(alg => [
      {
        why: `${alg} with its kid over an HMAC`,
        bearer: signCompact({ alg, kid: keys[alg].kid }, claims, SECRET, 'HS256')
      },
      { why: `${alg} without kid over an HMAC`, bearer: signCompact({ alg }, claims, SECRET, 'HS256') },
      {
        why: `HS256 over a genuine ${alg} signature`,
        bearer: signCompact({ alg: 'HS256', kid: keys[alg].kid }, claims, keys[alg].privateKey, alg)
      }
    ]),
    { why: 'alg in another type', bearer: signCompact({ alg: ['HS256'] }, claims, SECRET, 'HS256') },
    { why: 'alg null', bearer: signCompact({ alg: null }, claims, SECRET, 'HS256') },
    { why: 'no alg', bearer: signCompact({ typ: 'JWT' }, claims, SECRET, 'HS256') }
  ]
  await refuses(t, target, attacks)
  await accepts(t, target, [
    { why: 'HS256 that is HS256', bearer: real },
    ...ALGORITHMS.map(alg => ({ why: `${alg} that is ${alg}`, bearer: target.token(alg) }))
  ])
})

t.test('the signature is checked, all of it, in its one spelling', async t => {
  const real = target.hs256()
  const [header = '', payload = '', signature = ''] = real.split('.')
  const other = target.hs256({ sub: target.grace.user.id }).split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const signed = (text: Buffer | string) =>
    `${header}.${payload}.${typeof text === 'string' ? text : text.toString('base64url')}`
  // The last character of 43 carries two bits that decode to nothing.
  const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const twin = last[last.indexOf(signature.slice(-1)) ^ 1]
  await refuses(t, target, [
    { why: 'no signature', bearer: signed('') },
    { why: 'the signature of another payload', bearer: signed(other[2] ?? '') },
    { why: 'the payload of another signature', bearer: `${header}.${other[1]}.${signature}` },
    {
      why: 'another header before the signature',
      bearer: `${segment({ alg: 'HS256', typ: 'JWT' })}.${payload}.${signature}`
    },
    {
      why: 'one bit flipped',
      bearer: signed(Buffer.from(bytes.map((byte, index) => (index === 31 ? byte ^ 1 : byte))))
    },
    { why: 'the first half', bearer: signed(bytes.subarray(0, 16)) },
    { why: 'one byte', bearer: signed(bytes.subarray(0, 1)) },
    { why: 'one byte more', bearer: signed(Buffer.concat([bytes, Buffer.from([0])])) },
    { why: 'one character less', bearer: signed(signature.slice(0, -1)) },
    { why: 'one character more', bearer: signed(`${signature}A`) },
    { why: 'two characters more', bearer: signed(`${signature}AA`) },
    { why: 'bits that decode to nothing', bearer: signed(`${signature.slice(0, -1)}${twin}`) },
    { why: 'in hex', bearer: signed(bytes.toString('hex')) },
    { why: 'all zero', bearer: signed(Buffer.alloc(32)) },
    {
      why: 'over the decoded parts',
      bearer: signed(
        createHmac('sha256', SECRET)
          .update(`${Buffer.from(header, 'base64url')}.${Buffer.from(payload, 'base64url')}`)
          .digest()
      )
    },
    { why: 'over the payload alone', bearer: signed(createHmac('sha256', SECRET).update(payload).digest()) }
  ])
  await accepts(t, target, [{ why: 'untouched', bearer: real }])
})

t.test('several secrets: each of them, and no other', async t => {
  const newer = 'Jq3vT8yB1nM6kP0sD4fG7hL2zX5cW9aR'
  const app = await buildTarget(
    t,
    target.betterAuth.connectionString,
    { secret: [newer, SECRET], hs256: true },
    { log: target.log }
  )
  const rotated = { ...target, app, secrets: [...target.secrets, newer] }
  await accepts(t, rotated, [
    { why: 'under the current secret', bearer: target.hs256({}, {}, newer) },
    { why: 'under the older secret', bearer: target.hs256() }
  ])
  await refuses(t, rotated, [
    { why: 'under a third', bearer: target.hs256({}, {}, 'Zr7vT8yB1nM6kP0sD4fG7hL2zX5cW9aQ') },
    { why: 'under both, joined', bearer: target.hs256({}, {}, newer + SECRET) },
    { why: 'under both, as a list', bearer: target.hs256({}, {}, [newer, SECRET].join(',')) },
    {
      why: 'expired, under the older secret',
      bearer: target.hs256({ exp: 1_700_000_000 }),
      code: 'FST_BAU_TOKEN_EXPIRED'
    },
    {
      why: 'expired, under neither: nobody learns that it ever was good',
      bearer: target.hs256({ exp: 1_700_000_000 }, {}, 'x'.repeat(40))
    }
  ])
})

t.test('off means off', async t => {
  const { url, connectionString } = target.betterAuth
  const only = async (options: object) => ({
    ...target,
    app: await buildTarget(t, connectionString, options, { log: target.log })
  })
  const withoutHs256 = await only(keySet(url))
  await refuses(t, withoutHs256, [{ why: 'HS256 where only the key set counts', bearer: target.hs256() }])
  await accepts(t, withoutHs256, [{ why: 'EdDSA there', bearer: target.token('EdDSA') }])
  const withoutKeys = await only({ hs256: true })
  await refuses(
    t,
    withoutKeys,
    ALGORITHMS.map(alg => ({ why: `${alg} where only HS256 counts`, bearer: target.token(alg) }))
  )
  await accepts(t, withoutKeys, [{ why: 'HS256 there', bearer: target.hs256() }])
  const neither = await only({})
  await refuses(t, neither, [
    { why: 'HS256 where JWTs are off', bearer: target.hs256() },
    { why: 'EdDSA where JWTs are off', bearer: target.token('EdDSA') }
  ])
  await accepts(t, neither, [{ why: 'a session token there', bearer: target.ada.token }])
})
