import { bearer, jwt } from 'better-auth/plugins'
import { decodeJwt } from 'jose'
import t from 'tap'
import { type Attack, accepts, refuses } from '../fixtures/attack.ts'
import { SECRET, startBetterAuth } from '../fixtures/better-auth.ts'
import { signCompact } from '../fixtures/sign-compact.ts'
import { buildTarget, type Json, openTarget } from '../fixtures/target.ts'

// Well-formed tokens, signed with the right key: exactly one claim is wrong.
const target = await openTarget(t, { options: url => ({ hs256: { issuer: url, audience: url } }) })
const { url } = target.betterAuth
const { ada, grace } = target
const now = () => Math.floor(Date.now() / 1000)
const { rows } = await target.betterAuth.pool.query('select id, "userId" from session')
const sessionOf = (user: { id: string }) => String(rows.find(row => row.userId === user.id)?.id)
const idle = await target.betterAuth.signUp('Joan Clarke')
await target.betterAuth.pool.query('delete from session where "userId" = $1', [idle.user.id])

const ways = [
  { by: 'HS256', sign: (claims: Json, header: Json = {}) => target.hs256(claims, header) },
  { by: 'EdDSA', sign: (claims: Json, header: Json = {}) => target.token('EdDSA', claims, header) },
  { by: 'ES256', sign: (claims: Json, header: Json = {}) => target.token('ES256', claims, header) }
]
/** JSON that JSON.stringify would not write. */
const raw = (name: string, value: string) => JSON.stringify({ ...target.claims, [name]: '@' }).replace('"@"', value)

for (const { by, sign } of ways) {
  t.test(`${by}: times`, async t => {
    const never: [string, unknown][] = [
      ['absent', undefined],
      ['null', null],
      ['a text', String(target.claims.exp)],
      ['a date', new Date(Date.now() + 60_000).toISOString()],
      ['true', true],
      ['a list', [target.claims.exp]],
      ['an object', { valueOf: target.claims.exp }],
      ['negative', -1],
      ['with a fraction', target.claims.exp + 0.5],
      ['in milliseconds', target.claims.exp * 1000],
      ['beyond every calendar', 1e15]
    ]
    const passed: [string, unknown][] = [
      ['at the epoch', 0],
      ['a lifetime instead of a time', 3600],
      ['a year ago', now() - 31_536_000],
      ['a minute ago', now() - 60],
      ['as long ago as the clocks may differ', now() - 5]
    ]
    const early: [string, unknown][] = [
      ['in a minute', now() + 60],
      ['in a year', now() + 31_536_000],
      ['in milliseconds', now() * 1000],
      ['a text', '0'],
      ['a list', [0]],
      ['null', null],
      ['negative', -1]
    ]
    await refuses(t, target, [
      ...never.map(([what, exp]): Attack => ({ why: `exp ${what}`, bearer: sign({ exp }) })),
      ...passed.map(
        ([what, exp]): Attack => ({ why: `exp ${what}`, bearer: sign({ exp }), code: 'FST_BAU_TOKEN_EXPIRED' })
      ),
      ...early.map(([what, nbf]): Attack => ({ why: `nbf ${what}`, bearer: sign({ nbf }) })),
      ...early.map(([what, iat]): Attack => ({ why: `iat ${what}`, bearer: sign({ iat }) }))
    ])
    await accepts(t, target, [
      { why: 'exp a second ago: clocks may differ', bearer: sign({ exp: now() - 1 }) },
      { why: 'exp in a minute', bearer: sign({ exp: now() + 60 }) },
      { why: 'nbf now', bearer: sign({ nbf: now() }) },
      { why: 'nbf and iat two seconds ahead: clocks may differ', bearer: sign({ nbf: now() + 2, iat: now() + 2 }) },
      { why: 'no iat', bearer: sign({ iat: undefined }) }
    ])
  })

  t.test(`${by}: issuer and audience`, async t => {
    const others: [string, unknown][] = [
      ['absent', undefined],
      ['null', null],
      ['empty', ''],
      ['another', 'https://evil.example'],
      ['with a slash at its end', `${url}/`],
      ['with a path', `${url}/api/auth`],
      ['longer', `${url}0`],
      ['shorter', url.slice(0, -1)],
      ['with a user name', url.replace('//', '//a@')],
      ['under https', url.replace('http:', 'https:')],
      ['in upper case', url.toUpperCase()],
      ['with a space', ` ${url}`],
      ['with NUL', `${url}\0`],
      ['a pattern', '.*'],
      ['a number', 1],
      ['true', true],
      ['an object', { 0: url, length: 1 }],
      ['an empty list', []],
      ['a list of others', ['https://evil.example', 'https://worse.example']],
      ['a list in a list', [[url]]],
      ['a list of null', [null]]
    ]
    await refuses(t, target, [
      ...others.map(([what, iss]): Attack => ({ why: `iss ${what}`, bearer: sign({ iss }) })),
      ...others.map(([what, aud]): Attack => ({ why: `aud ${what}`, bearer: sign({ aud }) })),
      { why: 'iss a list with ours in it (CVE-2025-30144)', bearer: sign({ iss: ['https://evil.example', url] }) },
      { why: 'iss a list of ours alone', bearer: sign({ iss: [url] }) },
      {
        why: 'an ID token: the audience is a client',
        bearer: sign({ aud: 'client-1', iss: `${url}/api/auth`, azp: 'client-1' })
      }
    ])
    await accepts(t, target, [
      { why: 'aud a list with ours in it', bearer: sign({ aud: ['https://api.example', url] }) },
      { why: 'aud a list with ours and nonsense', bearer: sign({ aud: [1, null, url] }) }
    ])
  })

  if (by !== 'HS256') {
    t.test(`${by}: an issuer that ends in a slash was told to, or is a base URL`, async t => {
      const slash = `${url}/`
      const app = await buildTarget(t, target.betterAuth.connectionString, {
        keySet: { source: 'database', issuer: slash, audience: slash }
      })
      const there = { ...target, app }
      await accepts(t, there, [
        { why: 'as it is', bearer: sign({ iss: slash, aud: slash }) },
        { why: 'its origin', bearer: sign({ iss: url, aud: url }) }
      ])
      await refuses(t, there, [{ why: 'two slashes', bearer: sign({ iss: `${slash}/` }) }])
    })
  }

  t.test(`${by}: subject and session`, async t => {
    const nobody: [string, unknown][] = [
      ['null', null],
      ['empty', ''],
      ['a number', 1],
      ['true', true],
      ['a list', [ada.user.id]],
      ['an object', { id: ada.user.id }],
      ['256 characters', 'x'.repeat(256)],
      ['4000 characters', 'x'.repeat(4000)]
    ]
    const unknown: [string, string][] = [
      ['unknown', 'Z7X4nobodyHasThisIdZ7X4nobodyHas'],
      [
        'in another case',
        ada.user.id.toLowerCase() === ada.user.id ? ada.user.id.toUpperCase() : ada.user.id.toLowerCase()
      ],
      ['with a space', `${ada.user.id} `],
      ['with NUL', `${ada.user.id}\0`],
      ['a pattern', '%'],
      ['SQL', "' or '1'='1"],
      ['more SQL', `${ada.user.id}'; drop table "user"; --`],
      ['a lone surrogate', '\ud800'],
      ['an e-mail address', ada.user.email],
      ['a session token', ada.token]
    ]
    await refuses(t, target, [
      ...nobody.map(([what, sub]): Attack => ({ why: `sub ${what}`, bearer: sign({ sub }) })),
      ...unknown.map(([what, sub]): Attack => ({ why: `sub ${what}`, bearer: sign({ sub }), status: 404 })),
      {
        why: 'sub of a user without a session',
        bearer: sign({ sub: idle.user.id }),
        status: 404,
        code: 'FST_BAU_NO_ACTIVE_SESSION'
      },
      ...nobody.map(([what, sid]): Attack => ({ why: `sid ${what}`, bearer: sign({ sid }) })),
      ...[...unknown.map(([what, sid]) => [what, sid]), ['of another user', sessionOf(grace.user)]].map(
        ([what, sid]): Attack => ({
          why: `sid ${what}`,
          bearer: sign({ sid }),
          status: 404,
          code: 'FST_BAU_NO_ACTIVE_SESSION'
        })
      )
    ])
    await accepts(t, target, [
      { why: "another user's sub is that user", bearer: sign({ sub: grace.user.id }), userId: grace.user.id },
      { why: 'sid of her own session', bearer: sign({ sid: sessionOf(ada.user) }) },
      {
        why: 'id and e-mail of somebody else: only sub decides',
        bearer: sign({ id: grace.user.id, email: grace.user.email, userId: grace.user.id })
      }
    ])
  })

  t.test(`${by}: tokens of other kinds, under the same key`, async t => {
    const typ: unknown[] = [
      'at+jwt',
      'application/at+jwt',
      'logout+jwt',
      'better-auth.session-cache+jwt',
      'dpop+jwt',
      'id_token+jwt',
      'secevent+jwt',
      'JOSE',
      'JWS',
      'JWE',
      'JWT ',
      ' JWT',
      'JWT\n',
      'application/application/jwt',
      'text/jwt',
      '',
      0,
      1,
      true,
      null,
      ['JWT'],
      { JWT: 1 }
    ]
    await refuses(t, target, [
      ...typ.map((typ): Attack => ({ why: `typ ${JSON.stringify(typ)}`, bearer: sign({}, { typ }) })),
      {
        why: 'bound to a key (RFC 9449)',
        bearer: sign({ cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } })
      },
      {
        why: 'bound to a certificate (RFC 8705)',
        bearer: sign({ cnf: { 'x5t#S256': 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' } })
      },
      { why: 'bound to nothing that can be read', bearer: sign({ cnf: null }) }
    ])
    await accepts(t, target, [
      ...['JWT', 'jwt', 'Jwt', 'application/jwt', undefined].map(typ => ({
        why: `typ ${typ}`,
        bearer: sign({}, { typ })
      })),
      {
        why: 'claims nobody knows',
        bearer: sign({ jti: 'x', scope: 'a b', roles: ['admin'], admin: true, __proto__: null, constructor: 1 })
      }
    ])
  })
}

t.test('numbers that JSON can say and a clock cannot', async t => {
  const header = { alg: 'EdDSA', kid: target.keys.EdDSA.kid }
  const cases = [
    ['infinite', '1e999'],
    ['infinitely long ago', '-1e999'],
    ['in exponents, with a fraction', '1.7e-3'],
    ['of 400 digits', '9'.repeat(400)]
  ] as const
  await refuses(t, target, [
    ...cases.flatMap(([what, value]): Attack[] => [
      { why: `HS256: exp ${what}`, bearer: signCompact({ alg: 'HS256' }, raw('exp', value), SECRET) },
      { why: `EdDSA: exp ${what}`, bearer: signCompact(header, raw('exp', value), target.keys.EdDSA.privateKey) }
    ]),
    {
      why: 'an exp of minus nothing',
      bearer: signCompact(header, raw('exp', '-0'), target.keys.EdDSA.privateKey),
      code: 'FST_BAU_TOKEN_EXPIRED'
    },
    {
      why: 'two exp claims, the later one past',
      bearer: signCompact(header, raw('exp', `${now() + 60},"exp":1`), target.keys.EdDSA.privateKey),
      code: 'FST_BAU_TOKEN_EXPIRED'
    }
  ])
  await accepts(t, target, [
    {
      why: 'an exp in exponents',
      bearer: signCompact(header, raw('exp', `${now() + 60}e0`), target.keys.EdDSA.privateKey)
    }
  ])
})

t.test('HS256: what else is signed with the secret is no sign-in', async t => {
  const { hs256 } = target
  const { sub: _sub, ...nameless } = target.claims
  const unnamed = (claims: Json) => signCompact({ alg: 'HS256' }, { ...nameless, ...claims }, SECRET)
  await refuses(t, target, [
    ...['session', 'user', 'requestType', 'updateTo', 'type', 'purpose'].flatMap((claim): Attack[] => [
      { why: `a token with ${claim}`, bearer: hs256({ [claim]: 'x' }) },
      { why: `a token with ${claim}: null`, bearer: hs256({ [claim]: null }) }
    ]),
    { why: 'userId instead of sub', bearer: unnamed({ userId: ada.user.id, email: undefined }) },
    { why: 'id instead of sub', bearer: unnamed({ id: ada.user.id, email: undefined }) },
    { why: 'uid instead of sub', bearer: unnamed({ uid: ada.user.id, email: undefined }) },
    { why: 'sub and user_id that disagree', bearer: hs256({ user_id: grace.user.id }) },
    { why: 'user_id of another type', bearer: unnamed({ user_id: 1 }) },
    { why: 'an e-mail and a session that is not hers', bearer: unnamed({ sid: sessionOf(grace.user) }) },
    { why: 'an e-mail and a session of another type', bearer: unnamed({ sid: 1 }) },
    { why: 'an empty e-mail', bearer: unnamed({ email: '' }) },
    { why: 'a list of e-mails', bearer: unnamed({ email: [ada.user.email] }) },
    { why: 'an e-mail of nobody', bearer: unnamed({ email: 'nobody@example.com' }), status: 404 },
    { why: 'an e-mail that is a pattern', bearer: unnamed({ email: '%@example.com' }), status: 404 }
  ])
  await accepts(t, target, [
    { why: 'user_id instead of sub', bearer: unnamed({ user_id: ada.user.id }) },
    { why: 'sub and user_id that agree', bearer: hs256({ user_id: ada.user.id }) },
    { why: 'an e-mail alone, from the configured issuer', bearer: unnamed({}) },
    { why: 'an e-mail in another case', bearer: unnamed({ email: 'ADA@example.com' }) }
  ])
})

t.test('HS256: the tokens a real Better Auth signs for other purposes', async t => {
  const links: string[] = []
  const betterAuth = await startBetterAuth(t, {
    plugins: [bearer(), jwt()],
    emailVerification: { sendOnSignUp: true, sendVerificationEmail: async ({ token }) => void links.push(token) },
    session: { cookieCache: { enabled: true, strategy: 'jwt', maxAge: 300 } }
  })
  const ada = await betterAuth.signUp('Ada Lovelace')
  const cache = /session_data=([^;]+)/.exec(ada.cookie)?.[1] ?? ''
  const link = links[0] ?? ''
  t.match(decodeJwt(link), { email: 'ada@example.com' }, 'the link names her')
  t.match(decodeJwt(cache), { session: {}, user: { email: 'ada@example.com' } }, 'the cache holds her')
  for (const hs256 of [true, { issuer: betterAuth.url }, { issuer: betterAuth.url, audience: betterAuth.url }]) {
    const log: string[] = []
    const app = await buildTarget(t, betterAuth.connectionString, { hs256 }, { log })
    const here = { app, log, ada, secrets: [SECRET, ada.token] }
    await refuses(t, here, [
      { why: 'a link to verify an e-mail address', bearer: link },
      { why: 'a session cache', bearer: cache },
      { why: 'a session cache as session cookie', headers: { cookie: `better-auth.session_token=${cache}` } }
    ])
    const token = signCompact(
      { alg: 'HS256' },
      { sub: ada.user.id, exp: now() + 60, iss: betterAuth.url, aud: betterAuth.url },
      SECRET
    )
    await accepts(t, here, [
      { why: 'a token that names her', bearer: token },
      { why: 'her session cookie, the cache beside it', headers: { cookie: ada.cookie } }
    ])
  }
})

t.test('a token that was good a moment ago is not good for that', async t => {
  const app = await buildTarget(t, target.betterAuth.connectionString, {
    hs256: { clockTolerance: 0 },
    keySet: { source: 'database', issuer: url, audience: url, clockTolerance: 0 }
  })
  const exp = now() + 3
  const tokens = {
    HS256: target.hs256({ exp }),
    EdDSA: target.token('EdDSA', { exp }),
    PS256: target.token('PS256', { exp })
  }
  const ask = async (token: string) => {
    const reply = await app.inject({ url: '/me', headers: { authorization: `Bearer ${token}` } })
    return reply.json().code ?? reply.statusCode
  }
  for (const [alg, token] of Object.entries(tokens))
    t.same([await ask(token), await ask(token)], [200, 200], `${alg}: before`)
  while (now() < exp) await new Promise(resolve => setTimeout(resolve, 50))
  for (const [alg, token] of Object.entries(tokens)) {
    t.equal(await ask(token), 'FST_BAU_TOKEN_EXPIRED', `${alg}: at that very second (RFC 7519 §4.1.4)`)
  }
})

t.test('a session that ended a moment ago is not good for anything', async t => {
  const { signIn, post } = target.betterAuth
  const again = await signIn(idle.user.email)
  const jwt = target.token('EdDSA', { sub: idle.user.id })
  const credentials: [string, Record<string, string>][] = [
    ['token', { authorization: `Bearer ${again.token}` }],
    ['signed token', { authorization: `Bearer ${again.signedToken}` }],
    ['cookie', { cookie: again.cookie }],
    ['JWT', { authorization: `Bearer ${jwt}` }]
  ]
  await accepts(
    t,
    target,
    credentials.map(([what, headers]) => ({ why: `${what}, before`, headers, userId: idle.user.id }))
  )
  await post('/sign-out', {}, { authorization: `Bearer ${again.token}` })
  await refuses(
    t,
    target,
    credentials.map(([what, headers]): Attack => {
      const verdict = what === 'JWT' ? ({ status: 404, code: 'FST_BAU_NO_ACTIVE_SESSION' } as const) : {}
      return { why: `${what}, after`, headers, ...verdict }
    })
  )
})

t.test('nothing but the credential says who it is', async t => {
  const elsewhere = {
    'x-user-id': grace.user.id,
    'x-user': grace.user.email,
    'x-forwarded-user': grace.user.id,
    'x-api-key': grace.token,
    'x-auth-token': grace.token,
    'proxy-authorization': `Bearer ${grace.token}`,
    'set-auth-token': grace.token
  }
  const ask = (headers: Record<string, string>) =>
    target.app.inject({
      method: 'POST',
      url: `/me?userId=${grace.user.id}&token=${grace.token}&access_token=${grace.token}`,
      headers: { ...elsewhere, ...headers },
      payload: { userId: grace.user.id, user: { id: grace.user.id }, access_token: grace.token }
    })
  t.equal((await ask({})).statusCode, 401)
  t.equal((await ask({ authorization: `Bearer ${ada.token}` })).json().id, ada.user.id)
  t.equal((await ask({ cookie: ada.cookie })).json().id, ada.user.id)
})
