import { CompactEncrypt } from 'jose'
import t from 'tap'
import { type Attack, accepts, refuses } from '../fixtures/attack.ts'
import { SECRET } from '../fixtures/better-auth.ts'
import { segment, signCompact } from '../fixtures/sign-compact.ts'
import { openTarget } from '../fixtures/target.ts'

// Every signature here is good: what is wrong is the form of the token, or that its payload is no set of claims.
const target = await openTarget(t)
const { claims } = target
const { kid, privateKey } = target.keys.EdDSA
const ways = [
  {
    by: 'HS256',
    sign: (payload: unknown, header: object | string = { alg: 'HS256' }) =>
      signCompact(header, payload, SECRET, 'HS256')
  },
  {
    by: 'EdDSA',
    sign: (payload: unknown, header: object | string = { alg: 'EdDSA', kid }) =>
      signCompact(header, payload, privateKey, 'EdDSA')
  }
]

for (const { by, sign } of ways) {
  t.test(`${by}: three segments of unpadded base64url, and nothing else`, async t => {
    const real = sign(claims)
    const [header = '', payload = '', signature = ''] = real.split('.')
    const padded = (text: string) => text.padEnd(Math.ceil(text.length / 4) * 4, '=')
    const standard = (text: string) => text.replaceAll('-', '+').replaceAll('_', '/')
    const flattened = { payload, protected: header, signature }
    const cases: Attack[] = [
      { why: 'padding', bearer: [header, payload, signature].map(padded).join('.') },
      { why: 'padding of the signature alone', bearer: `${header}.${payload}.${padded(signature)}=` },
      { why: 'standard base64', bearer: [header, payload, `${standard(signature).slice(0, -2)}+/`].join('.') },
      { why: 'a dot more', bearer: `${real}.` },
      { why: 'a dot in front', bearer: `.${real}` },
      { why: 'a fourth segment', bearer: `${real}.${signature}` },
      { why: 'five segments', bearer: `${real}.${payload}.${signature}` },
      { why: 'two segments', bearer: `${header}.${payload}` },
      { why: 'one segment', bearer: payload },
      { why: 'an empty header', bearer: `.${payload}.${signature}` },
      { why: 'an empty payload', bearer: `${header}..${signature}` },
      { why: 'dots alone', bearer: '..' },
      { why: 'percent-encoded dots', bearer: real.replaceAll('.', '%2E') },
      { why: 'a percent-encoded character', bearer: `%65${real.slice(1)}` },
      { why: 'encoded in base64url once more', bearer: segment(real) },
      { why: 'flattened JSON', bearer: JSON.stringify(flattened) },
      { why: 'general JSON', bearer: JSON.stringify({ payload, signatures: [{ protected: header, signature }] }) },
      { why: 'in quotes', bearer: `"${real}"` },
      { why: 'in angle brackets', bearer: `<${real}>` },
      { why: 'after its own scheme', bearer: `Bearer:${real}` },
      { why: 'before a comma', bearer: `${real},` },
      { why: 'before a semicolon', bearer: `${real};` },
      { why: 'a space before the signature', bearer: `${header}.${payload}. ${signature}`, status: 400 },
      { why: 'twice', bearer: `${real} ${real}`, status: 400 },
      { why: 'a tab at its end', bearer: `${real}\t`, status: 400 },
      { why: 'a line break at its end', bearer: `${real}\n`, status: 400 },
      { why: 'NUL at its end', bearer: `${real}\0`, status: 400 },
      { why: 'a no-break space at its end', bearer: `${real}\u00a0`, status: 400 }
    ]
    await refuses(t, target, cases)
    await accepts(t, target, [
      { why: 'as it is', bearer: real },
      { why: 'between spaces', bearer: `  ${real}  ` }
    ])
  })

  t.test(`${by}: the header is a JSON object`, async t => {
    const alg = by
    const raw = JSON.stringify({ alg, kid })
    const headers: [string, string | object][] = [
      ['a list', [raw]],
      ['a list of one object', [{ alg, kid }]],
      ['null', 'null'],
      ['a number', '1'],
      ['a text', JSON.stringify(raw)],
      ['no JSON', `{alg:${alg}}`],
      ['cut off', raw.slice(0, -1)],
      ['JSON and more', `${raw}{}`],
      ['after a byte order mark', `\ufeff${raw}`],
      ['after NUL', `\0${raw}`],
      ['before NUL', `${raw}\0`],
      ['in single quotes', raw.replaceAll('"', "'")],
      ['with a comma too many', raw.replace('}', ',}')],
      ['with a comment', raw.replace('{', '{/**/')],
      ['an empty object', '{}'],
      ['lists in lists', `${'['.repeat(2000)}${']'.repeat(2000)}`],
      ['with alg one level down', { header: { alg, kid } }],
      ['with alg on __proto__', `{"__proto__":${raw}}`],
      ['with Alg', { Alg: alg, kid }],
      ['with a second alg that is none', `{"alg":"${alg}","kid":"${kid}","alg":"none"}`]
    ]
    await refuses(
      t,
      target,
      headers.map(([what, header]) => ({ why: what, bearer: sign(claims, header) }))
    )
    await accepts(t, target, [
      { why: 'with white space', bearer: sign(claims, ` { "kid" : "${kid}",\n "alg" : "${alg}" } `) },
      { why: 'with an escaped alg', bearer: sign(claims, `{"kid":"${kid}","\\u0061lg":"${alg}"}`) }
    ])
  })

  t.test(`${by}: the payload is a JSON object in UTF-8`, async t => {
    const raw = JSON.stringify(claims)
    const payloads: [string, unknown][] = [
      ['a list of claims', [claims]],
      ['an empty list', []],
      ['a list with the claims as properties of nothing', [...Object.entries(claims)]],
      ['null', null],
      ['true', true],
      ['a number', 1],
      ['a text', JSON.stringify(raw)],
      ['no JSON', 'sub=1'],
      ['cut off', raw.slice(0, -1)],
      ['JSON and more', `${raw}${raw}`],
      ['before NUL', `${raw}\0`],
      ['after NUL', `\0${raw}`],
      ['single quotes', raw.replaceAll('"', "'")],
      ['a comma too many', raw.replace(/}$/, ',}')],
      ['an unfinished escape', raw.replace('"sub":"', '"sub":"\\u12x')],
      ['white space alone', '   '],
      ['claims one level down', { payload: claims }],
      ['claims on __proto__', `{"__proto__":${raw}}`],
      ['claims in UTF-16', Buffer.from(raw, 'utf16le')],
      ['another token (nested)', sign(claims)],
      ['lists in lists', `${'['.repeat(2500)}${']'.repeat(2500)}`],
      ['an unfinished list in lists', '['.repeat(5500)]
    ]
    await refuses(
      t,
      target,
      payloads.map(([what, payload]) => ({ why: what, bearer: sign(payload) }))
    )
    const notText = Buffer.concat([
      Buffer.from(raw.replace(/}$/, ',"name":"')),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}')
    ])
    await accepts(t, target, [
      { why: 'with white space', bearer: sign(` ${JSON.stringify(claims, null, 1)} `) },
      { why: 'with letters of every script', bearer: sign({ ...claims, name: 'Ада Лавлейс 🧮 ﷽' }) },
      {
        why: 'with depth in a claim nobody reads',
        bearer: sign({ ...claims, deep: JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) })
      }
    ])
    t.not(await statusOf(sign(notText)), 500, 'bytes that are no UTF-8 are no crash')
  })

  t.test(`${by}: a token may be long, up to a limit`, async t => {
    const [longest, beyond] = aroundLimit(sign, 8192)
    await accepts(t, target, [{ why: `${longest.length} characters`, bearer: longest }])
    await refuses(t, target, [
      { why: `${beyond.length} characters`, bearer: beyond, status: 400 },
      { why: 'almost all that Node takes', bearer: aroundLimit(sign, 15000)[0], status: 400 }
    ])
  })
}

t.test('an encrypted token is none, whoever encrypted it', async t => {
  const key = new TextEncoder().encode(SECRET.repeat(2))
  const plaintext = new TextEncoder().encode(JSON.stringify(claims))
  const encrypted = async (header: { alg: string; enc: string }, key: Uint8Array, more: object = {}) =>
    new CompactEncrypt(plaintext).setProtectedHeader({ ...header, ...more }).encrypt(key)
  await refuses(t, target, [
    { why: 'dir, A256CBC-HS512 under the secret', bearer: await encrypted({ alg: 'dir', enc: 'A256CBC-HS512' }, key) },
    {
      why: 'dir, A256GCM under the secret',
      bearer: await encrypted({ alg: 'dir', enc: 'A256GCM' }, key.subarray(0, 32))
    },
    { why: 'A256KW under the secret', bearer: await encrypted({ alg: 'A256KW', enc: 'A256GCM' }, key.subarray(0, 32)) },
    {
      why: 'an alg of ours in its header',
      bearer: [segment({ alg: 'HS256', enc: 'A256GCM' }), '', segment('iv'), segment(claims), segment('tag')].join('.')
    },
    {
      why: 'PBES2 that asks for a thousand million rounds',
      bearer: [
        segment({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 1e9, p2s: 'c2FsdA' }),
        segment('key'),
        segment('iv'),
        segment('text'),
        segment('tag')
      ].join('.')
    },
    {
      why: 'compressed',
      bearer: [
        segment({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' }),
        '',
        segment('iv'),
        segment('text'),
        segment('tag')
      ].join('.')
    }
  ])
})

async function statusOf(bearer: string): Promise<number> {
  return (await target.app.inject({ url: '/me', headers: { authorization: `Bearer ${bearer}` } })).statusCode
}

/** Two good tokens: the longest within the limit, and the next one. */
function aroundLimit(sign: (payload: unknown) => string, limit: number): [string, string] {
  const filled = (size: number) => sign({ ...claims, filling: 'x'.repeat(size) })
  let size = Math.floor((limit - sign(claims).length) * 0.75) - 20
  while (filled(size + 1).length <= limit) size++
  return [filled(size), filled(size + 1)]
}
