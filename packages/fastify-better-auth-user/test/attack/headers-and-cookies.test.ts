import { createHmac } from 'node:crypto'
import { type AddressInfo, connect } from 'node:net'
import { multiSession, twoFactor } from 'better-auth/plugins'
import t from 'tap'
import { type Attack, accepts, refuses } from '../fixtures/attack.ts'
import { SECRET } from '../fixtures/better-auth.ts'
import { buildTarget, openTarget } from '../fixtures/target.ts'

const target = await openTarget(t, {
  options: () => ({ token: { header: 'x-token', query: 'access_token' } }),
  betterAuth: { plugins: [multiSession()] }
})
const { app, ada, grace, betterAuth } = target
const signature = ada.signedToken.slice(ada.token.length + 1)
const cookie = (value: string, name = 'better-auth.session_token') => ({ cookie: `${name}=${value}` })
const good = encodeURIComponent(ada.signedToken)
const sign = (value: string, secret = SECRET) =>
  `${value}.${createHmac('sha256', secret).update(value).digest('base64')}`
const anonymous = async (headers: Record<string, string>) => {
  const open = await app.inject({ url: '/', headers })
  const guarded = await app.inject({ url: '/me', headers })
  return [open.statusCode, open.json().user, guarded.statusCode, guarded.headers['www-authenticate']]
}
const NOBODY = [200, null, 401, 'Bearer realm="api"']

t.test('Authorization: Bearer, one token', async t => {
  await refuses(
    t,
    target,
    [
      ['nothing after the scheme', 'Bearer'],
      ['a space after the scheme', 'Bearer '],
      ['spaces after the scheme', 'Bearer    '],
      ['a tab instead of the space', `Bearer\t${ada.token}`],
      ['a tab after the space', `Bearer \t${ada.token}`],
      ['a tab after the token', `Bearer ${ada.token}\t`],
      ['two tokens', `Bearer ${ada.token} ${grace.token}`],
      ['two schemes', `Bearer Bearer ${ada.token}`],
      ['a parameter after the token', `Bearer ${ada.token} realm="api"`],
      ['a list of two credentials', `Bearer ${ada.token}, Bearer ${grace.token}`],
      ['a letter that is not ASCII', `Bearer ${ada.token}é`],
      ['a control character', `Bearer ${ada.token}\u0001`],
      ['DEL', `Bearer ${ada.token}\u007f`],
      ['NUL', `Bearer ${ada.token}\0`],
      ['a line break', `Bearer ${ada.token}\r\nx-user: ada`],
      ['8193 characters', `Bearer ${'x'.repeat(8193)}`]
    ].map(([why = '', authorization = '']): Attack => ({ why, headers: { authorization }, status: 400 }))
  )
  await refuses(
    t,
    target,
    [
      ['a quoted token', `Bearer "${ada.token}"`],
      ['a token in another case', `Bearer ${ada.token.toLowerCase()}`],
      ['a token less a character', `Bearer ${ada.token.slice(0, -1)}`],
      ['a token and a character', `Bearer ${ada.token}x`],
      ['a pattern', 'Bearer %'],
      ['SQL', `Bearer '/**/or/**/1=1--`],
      ['a name of the prototype', 'Bearer __proto__'],
      ['a comma after the token', `Bearer ${ada.token},`],
      ['a parameter', `Bearer token="${ada.token}"`],
      ['8192 characters', `Bearer ${'x'.repeat(8192)}`],
      ['8192 characters of percent signs', `Bearer ${'%'.repeat(8192)}`],
      ["a user's id", `Bearer ${ada.user.id}`],
      ["a user's e-mail", `Bearer ${ada.user.email}`]
    ].map(([why = '', authorization = '']): Attack => ({ why, headers: { authorization } }))
  )
  await accepts(
    t,
    target,
    [
      `Bearer ${ada.token}`,
      `bearer ${ada.token}`,
      `BEARER ${ada.token}`,
      `Bearer    ${ada.token}`,
      `Bearer ${ada.token}  `
    ].map(authorization => ({ why: authorization.replace(ada.token, 'token'), headers: { authorization } }))
  )
  for (const authorization of [
    '',
    'Basic YWRhOnNlY3JldA==',
    `Bearer:${ada.token}`,
    `Bearer=${ada.token}`,
    `Bearer,${ada.token}`,
    `Bearer${ada.token}`,
    `XBearer ${ada.token}`,
    ` Bearer${ada.token}`,
    `Token ${ada.token}`,
    `DPoP ${ada.token}`,
    ada.token
  ]) {
    t.same(
      await anonymous({ authorization }),
      NOBODY,
      `${authorization.replace(ada.token, 'token')}: another scheme, so nobody`
    )
  }
})

t.test('however many spaces are between two tokens, nobody waits for them', async t => {
  const started = performance.now()
  for (let n = 0; n < 20; n++) {
    const authorization = `Bearer a${' '.repeat(16_000)}b`
    t.equal((await app.inject({ url: '/me', headers: { authorization } })).statusCode, 400)
  }
  t.ok(performance.now() - started < 5000, 'in a time that grows with their number, not with its square')
})

t.test('a signed session token is signed, all of it', async t => {
  const twin = `${signature.slice(0, -2)}${twinOf(signature.slice(-2, -1))}=`
  const forms: [string, string][] = [
    ['the signature of another token', `${grace.token}.${signature}`],
    ['the signature of another secret', sign(ada.token, 'another secret of thirty-two byte')],
    ['an empty value', `.${signature}`],
    ['signed twice', sign(ada.signedToken)],
    ['no padding', ada.signedToken.slice(0, -1)],
    ['another spelling of the same bytes', `${ada.token}.${twin}`],
    ['base64url', `${ada.token}.${signature.replaceAll('+', '-').replaceAll('/', '_')}-`.replace('=-', '')],
    ['in hex', `${ada.token}.${Buffer.from(signature, 'base64').toString('hex')}`],
    ['all zero', `${ada.token}.${Buffer.alloc(32).toString('base64')}`],
    ['the signature alone', signature],
    ['percent-encoded twice', encodeURIComponent(good)],
    ['a plus sign turned into a space', sign(ada.token).replace(/[+=]/, '%20')],
    ['percent-encoding cut off', `${good}%`],
    ['percent-encoding of nothing', `${good}%zz`],
    ['percent-encoded bytes that are no UTF-8', `%ff${good}`],
    ['percent-encoded NUL in front', `%00${good}`],
    ['percent-encoded NUL at the end', `${good}%00`],
    ['signed for nobody', sign('x'.repeat(32))],
    ["the value of Better Auth's dont_remember cookie", sign('true')],
    ["the value of Better Auth's admin_session cookie", sign(`${ada.token}:`)]
  ]
  await refuses(
    t,
    target,
    forms.map(([why, bearer]): Attack => ({ why: `bearer: ${why}`, bearer }))
  )
  await refuses(
    t,
    target,
    forms.map(([why, value]): Attack => ({ why: `cookie: ${why}`, headers: cookie(value) }))
  )
  await accepts(t, target, [
    { why: 'bearer, signed', bearer: ada.signedToken },
    { why: 'bearer, signed and percent-encoded', bearer: good },
    { why: 'cookie, percent-encoded', headers: cookie(good) },
    { why: 'cookie as it is', headers: cookie(ada.signedToken) },
    { why: 'cookie in quotes', headers: cookie(`"${good}"`) },
    { why: 'cookie with everything encoded that can be', headers: cookie(good.replace('.', '%2E')) }
  ])
})

t.test('the session cookie is signed, and goes by its own name', async t => {
  await refuses(t, target, [
    { why: 'a raw token', headers: cookie(ada.token) },
    { why: 'a JWT', headers: cookie(target.token('EdDSA')) },
    { why: 'an HS256 token', headers: cookie(target.hs256()) },
    { why: 'nothing', headers: cookie('') },
    { why: 'quotes around nothing', headers: cookie('""') },
    { why: 'one quote', headers: cookie(`"${good}`) },
    { why: 'a value with white space', headers: cookie(`${ada.token} .${signature}`) },
    { why: '8193 characters', headers: cookie('x'.repeat(8193)), status: 400 },
    {
      why: 'a forged one first, the real one second',
      headers: { cookie: `better-auth.session_token=${sign('x', 'y')}; ${ada.cookie}` }
    },
    {
      why: 'a forged one for https beside the real one',
      headers: { cookie: `${ada.cookie}; __Secure-better-auth.session_token=x.y` }
    },
    {
      why: 'a forged one beside the session cache',
      headers: { cookie: `better-auth.session_token=x.y; better-auth.session_data=${good}` }
    }
  ])
  await accepts(t, target, [
    { why: 'all cookies of a real sign-in', headers: { cookie: ada.cookie } },
    {
      why: 'the real one first, a forged one second',
      headers: { cookie: `better-auth.session_token=${good}; better-auth.session_token=x.y` }
    },
    {
      why: 'the real one for https beside a leftover',
      headers: { cookie: `better-auth.session_token=x.y; __Secure-better-auth.session_token=${good}` }
    },
    { why: 'with a dash', headers: cookie(good, 'better-auth-session_token') }
  ])
  t.match(ada.cookie, /better-auth\.session_token_multi-/, 'a real multi-session cookie is there')
  for (const name of [
    'better-auth.session_token_multi-x',
    'better-auth.session_token.0',
    'better-auth.session_tokens',
    'better-auth.session_data',
    'better-auth.dont_remember',
    'better-auth.admin_session',
    'better-auth.two_factor',
    'Better-Auth.session_token',
    'better-auth.session%5Ftoken',
    'xbetter-auth.session_token',
    '__Host-better-auth.session_token',
    '__secure-better-auth.session_token',
    'session_token',
    'a=better-auth.session_token'
  ]) {
    t.same(await anonymous(cookie(good, name)), NOBODY, `${name} is another cookie, so nobody`)
  }
  const secure = '__Secure-better-auth.session_token'
  const strict = {
    ...target,
    app: await buildTarget(t, betterAuth.connectionString, { cookie: { name: secure } })
  }
  await accepts(t, strict, [{ why: 'the one name that is read', headers: cookie(good, secure) }])
  t.match((await strict.app.inject({ url: '/me', headers: cookie(good) })).json(), {
    code: 'FST_BAU_CREDENTIAL_MISSING'
  })
  t.same(await anonymous({ cookie: `x="; better-auth.session_token_multi-a=${good}` }), NOBODY)
})

t.test('one credential decides, and a bad one is never passed over', async t => {
  const two = { cookie: ada.cookie }
  await refuses(t, target, [
    { why: 'a bad token beside a good cookie', bearer: 'nope', headers: two },
    { why: 'a bad token with a dot beside a good cookie', bearer: 'no.pe', headers: two },
    { why: 'a forged JWT beside a good cookie', bearer: target.hs256({}, {}, 'x'), headers: two },
    {
      why: 'an expired JWT beside a good cookie',
      bearer: target.token('EdDSA', { exp: 1 }),
      headers: two,
      code: 'FST_BAU_TOKEN_EXPIRED'
    },
    { why: 'no token beside a good cookie', bearer: '', headers: two, status: 400 },
    { why: 'two tokens beside a good cookie', bearer: 'a b', headers: two, status: 400 },
    { why: 'bearer and header', bearer: ada.token, headers: { 'x-token': ada.token }, status: 400 },
    { why: 'a bad bearer and a good header', bearer: 'nope', headers: { 'x-token': ada.token }, status: 400 },
    { why: 'an empty header', headers: { 'x-token': '' }, status: 400 },
    { why: 'a header with a scheme', headers: { 'x-token': `Bearer ${ada.token}` }, status: 400 },
    { why: 'a bad header beside a good cookie', headers: { 'x-token': 'nope', ...two } },
    { why: 'a forged HS256 token in the header', headers: { 'x-token': target.hs256({}, {}, 'x') } }
  ])
  await accepts(t, target, [
    { why: 'the header alone', headers: { 'x-token': ada.token } },
    { why: 'the header with a JWT', headers: { 'x-token': target.token('EdDSA') } },
    {
      why: "one user's token beside another's cookie: the token",
      bearer: grace.token,
      headers: two,
      userId: grace.user.id
    },
    { why: 'another scheme beside the cookie: the cookie', headers: { authorization: 'Basic YTpi', ...two } }
  ])
})

t.test('a token in the address', async t => {
  const ask = (query: string, headers: Record<string, string> = {}) => app.inject({ url: `/me?${query}`, headers })
  const cases = [
    { why: 'unknown', query: 'access_token=nope', status: 401 },
    { why: 'empty', query: 'access_token=', status: 400 },
    { why: 'twice', query: `access_token=${ada.token}&access_token=${ada.token}`, status: 400 },
    { why: 'twice, once percent-encoded', query: `access_token=${ada.token}&%61ccess_token=nope`, status: 400 },
    { why: 'with a space', query: `access_token=${ada.token}%20x`, status: 400 },
    { why: 'with NUL', query: `access_token=${ada.token}%00`, status: 400 },
    { why: 'with a letter that is not ASCII', query: `access_token=${ada.token}%C3%A9`, status: 400 },
    { why: 'percent-encoded badly', query: 'access_token=%zz', status: 401 },
    { why: 'good', query: `access_token=${ada.token}`, status: 200 },
    { why: 'good, its name percent-encoded', query: `%61ccess%5Ftoken=${ada.token}`, status: 200 },
    { why: 'good, signed', query: `access_token=${good}`, status: 200 }
  ]
  for (const { why, query, status } of cases) {
    const reply = await ask(query)
    t.equal(reply.statusCode, status, `${why}: ${reply.body}`)
    t.equal(reply.headers['cache-control'], 'no-store', `${why}: is kept nowhere`)
  }
  t.equal(
    (await ask(`access_token=${ada.token}`, { authorization: `Bearer ${ada.token}` })).statusCode,
    400,
    'and in the header, too'
  )
  t.equal((await ask(`ACCESS_TOKEN=${ada.token}`)).statusCode, 401, 'another name')
  t.equal((await ask(`a=1%26access_token=${ada.token}`)).statusCode, 401, 'inside another value')
  t.equal((await ask('a=1')).headers['cache-control'], undefined, 'an address without a token says nothing of caches')
  const off = await buildTarget(t, betterAuth.connectionString, {})
  t.equal((await off.inject(`/me?access_token=${ada.token}`)).statusCode, 401, 'off by default')
})

t.test('a custom reader that finds nothing finds nothing', async t => {
  const answers: unknown[] = [null, undefined]
  for (const answer of answers) {
    const app = await buildTarget(t, betterAuth.connectionString, { token: { extract: () => answer as null } })
    t.equal((await app.inject('/')).statusCode, 200, String(answer))
    t.equal((await app.inject({ url: '/me', headers: { authorization: `Bearer ${ada.token}` } })).statusCode, 200)
  }
  for (const answer of [1, ['a'], {}, true, Symbol('x')] as unknown[]) {
    const app = await buildTarget(t, betterAuth.connectionString, { token: { extract: () => answer as string } })
    t.equal((await app.inject('/')).statusCode, 400, `${String(answer)} is no token`)
  }
  const app = await buildTarget(t, betterAuth.connectionString, {
    token: {
      extract() {
        throw new Error('a bug of the application')
      }
    }
  })
  t.equal((await app.inject('/me')).statusCode, 401, 'a reader that throws lets nobody in')
})

t.test('a signed token must be signed where raw ones are refused', async t => {
  const log: string[] = []
  const strict = {
    ...target,
    log,
    app: await buildTarget(t, betterAuth.connectionString, { requireSignature: true }, { log })
  }
  await refuses(t, strict, [
    { why: 'raw', bearer: ada.token },
    { why: 'raw with a dot', bearer: `${ada.token}.` },
    { why: 'signed with another secret', bearer: sign(ada.token, 'another secret of thirty-two byte') }
  ])
  await accepts(t, strict, [{ why: 'signed', bearer: ada.signedToken }])
})

t.test('who is gone, banned or half signed in', async t => {
  const two = await openTarget(t, { betterAuth: { plugins: [twoFactor()] } })
  const reply = await two.betterAuth.post(
    '/two-factor/enable',
    { password: 'correct horse battery' },
    { authorization: `Bearer ${two.ada.token}` }
  )
  t.ok(reply.ok)
  await two.betterAuth.pool.query(`update "user" set "twoFactorEnabled" = true where id = $1`, [two.ada.user.id])
  const pending = await two.betterAuth.post('/sign-in/email', {
    email: two.ada.user.email,
    password: 'correct horse battery'
  })
  t.match(await pending.json(), { twoFactorRedirect: true })
  const dead = pending.headers.get('set-auth-token') ?? ''
  t.match(dead, /^\w{32}\.[\w+/]{43}=$/, 'the half sign-in comes with a validly signed token')
  await refuses(t, two, [
    { why: 'the token of a sign-in that still waits for its second factor', bearer: dead },
    { why: 'the same as cookie', headers: cookie(encodeURIComponent(dead)) }
  ])
  await accepts(t, two, [{ why: 'the session from before', bearer: two.ada.signedToken }])

  const { pool } = two.betterAuth
  const heirs = { cookie: two.grace.cookie }
  await pool.query(`alter table "user" add column banned boolean, add column "banExpires" timestamptz`)
  const banned = {
    ...two,
    app: await buildTarget(t, two.betterAuth.connectionString, { hs256: true }, { log: two.log })
  }
  await accepts(t, banned, [{ why: 'banned is null', headers: heirs, userId: two.grace.user.id }])
  await pool.query(`update "user" set banned = true where id = $1`, [two.grace.user.id])
  await refuses(t, banned, [
    { why: 'a banned user by cookie', headers: heirs },
    { why: 'a banned user by token', bearer: two.grace.token },
    {
      why: 'a banned user by JWT that says banned: false',
      bearer: two.hs256({ sub: two.grace.user.id, banned: false })
    }
  ])
  await pool.query(`update "user" set "banExpires" = now() - interval '1 second' where id = $1`, [two.grace.user.id])
  await accepts(t, banned, [{ why: 'a ban that is over', headers: heirs, userId: two.grace.user.id }])
  await pool.query(`alter table session drop constraint "session_userId_fkey"`)
  await pool.query(`delete from "user" where id = $1`, [two.grace.user.id])
  await refuses(t, banned, [
    { why: 'a session whose user is gone', headers: heirs },
    { why: 'a JWT whose user is gone', bearer: two.hs256({ sub: two.grace.user.id }), status: 404 }
  ])
})

t.test('over a socket, where nobody tidies up', async t => {
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const head = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n'
  const bearer = `Authorization: Bearer ${ada.token}\r\n`
  const cases: { why: string; request: string; answer: RegExp }[] = [
    { why: 'one header', request: `${head}${bearer}\r\n`, answer: /^HTTP\/1.1 200 .*ada@example\.com/s },
    {
      why: 'the same header twice',
      request: `${head}${bearer}${bearer}\r\n`,
      answer: /^HTTP\/1.1 400 .*invalid_request/s
    },
    { why: 'a bad one second', request: `${head}${bearer}Authorization: Bearer x\r\n\r\n`, answer: /^HTTP\/1.1 400 / },
    { why: 'a bad one first', request: `${head}Authorization: Bearer x\r\n${bearer}\r\n`, answer: /^HTTP\/1.1 400 / },
    {
      why: 'another scheme first',
      request: `${head}Authorization: Basic x\r\n${bearer}\r\n`,
      answer: /^HTTP\/1.1 400 /
    },
    {
      why: 'another scheme first, and a good cookie',
      request: `${head}Authorization: Basic x\r\nAuthorization: Bearer x\r\nCookie: ${ada.cookie}\r\n\r\n`,
      answer: /^HTTP\/1.1 400 /
    },
    {
      why: 'another scheme second',
      request: `${head}${bearer}Authorization: Basic x\r\n\r\n`,
      answer: /^HTTP\/1.1 400 /
    },
    {
      why: 'another scheme twice',
      request: `${head}Authorization: Basic x\r\nAuthorization: Basic y\r\n\r\n`,
      answer: /^HTTP\/1.1 200 .*"user":null/s
    },
    {
      why: 'the custom header twice',
      request: `${head}X-Token: ${ada.token}\r\nX-Token: ${ada.token}\r\n\r\n`,
      answer: /^HTTP\/1.1 400 /
    },
    {
      why: 'in another case',
      request: `${head}AUTHORIZATION: bEaReR ${ada.token}\r\n\r\n`,
      answer: /^HTTP\/1.1 200 .*ada@example/s
    },
    {
      why: 'no space after the colon',
      request: `${head}Authorization:Bearer ${ada.token}\r\n\r\n`,
      answer: /^HTTP\/1.1 200 .*ada@example/s
    },
    {
      why: 'a space before the colon',
      request: `${head}Authorization : Bearer ${ada.token}\r\n\r\n`,
      answer: /^HTTP\/1.1 400 /
    },
    {
      why: 'folded over two lines',
      request: `${head}Authorization: Bearer\r\n ${ada.token}\r\n\r\n`,
      answer: /^HTTP\/1.1 400 /
    },
    {
      why: 'a tab before the token',
      request: `${head}Authorization: Bearer \t${ada.token}\r\n\r\n`,
      answer: /^HTTP\/1.1 400 .*invalid_request/s
    },
    {
      why: 'a lone line feed in the value',
      request: `${head}Authorization: Bearer x\nX: y\r\n\r\n`,
      answer: /^HTTP\/1.1 400 /
    },
    {
      why: 'NUL in the value',
      request: `${head}Authorization: Bearer ${ada.token}\0\r\n\r\n`,
      answer: /^HTTP\/1.1 400 /
    },
    {
      why: 'bytes above ASCII',
      request: `${head}Authorization: Bearer \xff\xfe${ada.token}\r\n\r\n`,
      answer: /^HTTP\/1.1 400 .*invalid_request/s
    },
    {
      why: 'a no-break space after the scheme',
      request: `${head}Authorization: Bearer\xa0${ada.token}\r\n\r\n`,
      answer: /^HTTP\/1.1 200 .*"user":null/s
    },
    {
      why: 'two cookie headers, the forged one first',
      request: `${head}Cookie: better-auth.session_token=x.y\r\nCookie: ${ada.cookie}\r\n\r\n`,
      answer: /^HTTP\/1.1 401 /
    },
    {
      why: 'two cookie headers, the real one first',
      request: `${head}Cookie: ${ada.cookie}\r\nCookie: better-auth.session_token=x.y\r\n\r\n`,
      answer: /^HTTP\/1.1 200 .*ada@example/s
    },
    {
      why: 'a cookie of any page, which would pass for one with the prefix if its no-break space were taken away',
      request: `${head}Cookie: \xa0__Secure-better-auth.session_token=${encodeURIComponent(grace.signedToken)}; ${ada.cookie}\r\n\r\n`,
      answer: /^HTTP\/1.1 200 .*ada@example/s
    },
    {
      why: 'bytes above ASCII in the cookie',
      request: `${head}Cookie: better-auth.session_token=\xff\r\n\r\n`,
      answer: /^HTTP\/1.1 401 /
    },
    {
      why: 'more than 16 KiB of headers',
      request: `${head}Authorization: Bearer ${'x'.repeat(17_000)}\r\n\r\n`,
      answer: /^HTTP\/1.1 431 /
    },
    {
      why: 'just below 16 KiB of headers',
      request: `${head}Authorization: Bearer ${'x'.repeat(16_000)}\r\n\r\n`,
      answer: /^HTTP\/1.1 400 .*invalid_request/s
    },
    {
      why: 'a body before its time',
      request: `POST /me HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100000000\r\n\r\n`,
      answer: /^HTTP\/1.1 401 /
    },
    {
      why: 'no Host, HTTP/1.0',
      request: `POST / HTTP/1.0\r\nOrigin: http://a\r\nCookie: ${ada.cookie}\r\n\r\n`,
      answer: /^HTTP\/1.1 403 /
    },
    {
      why: 'an address of percent signs',
      request: `GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${bearer}\r\n`,
      answer: /^HTTP\/1.1 400 /
    },
    {
      why: 'an address with a host in it',
      request: `GET http://evil.example/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      answer: /^HTTP\/1.1 40[14] /
    },
    {
      why: 'two slashes',
      request: `GET //me HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      answer: /^HTTP\/1.1 404 /
    }
  ]
  for (const { why, request, answer } of cases) {
    const reply = await raw(port, request)
    t.match(reply, answer, why)
    if (!answer.source.includes('200')) t.notMatch(reply, ada.token, `${why}: no token in the answer`)
  }
})

/** Sends bytes (one a character) and reads until the server closes; fails after five seconds. */
function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 5000 })
    let reply = ''
    socket.setEncoding('latin1')
    socket.on('data', text => {
      reply += text
    })
    socket.on('timeout', () => socket.destroy(new Error(`no answer to ${request.slice(0, 200)}; so far ${reply}`)))
    socket.on('error', reject)
    socket.on('close', () => resolve(reply))
    socket.write(Buffer.from(request, 'latin1'))
  })
}

/** The character of base64 that differs in the last bit only. */
function twinOf(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  return alphabet[alphabet.indexOf(character) ^ 1] ?? ''
}
