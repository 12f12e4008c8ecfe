import t from 'tap'
import { post } from './fixtures/chat.ts'
import { openHost } from './fixtures/host.ts'
import { bearer, hs256, password, signUp } from './fixtures/people.ts'

t.test('in development, each attempt is accounted for line by line', async t => {
  const host = await openHost(t)
  const ada = await signUp(host.url, 'Ada')
  const account = async (headers: Record<string, string>) => {
    host.lines.length = 0
    await post(host.url, headers)
    return host.lines
  }

  t.test('a JWT', async t => {
    const token = await hs256({ sub: ada.id, email: 'ada@example.com' })
    t.same(await account(bearer(token)), [
      '🔑 JWT Token: eyJhbG...',
      '✅ JWT Validated',
      '📧 Email from token: ada@example.com',
      `👤 User found: Ada (ID: ${ada.id})`,
      '🔗 Sessions found: 1',
      `✅ User ID from session: ${ada.id}`
    ])
  })

  t.test('a session token', async t => {
    t.same(await account(bearer(ada.rawToken)), [
      `🔑 Session token: ${ada.rawToken.slice(0, 6)}...`,
      '✅ Session token validated',
      '📧 Email of user: ada@example.com',
      `👤 User found: Ada (ID: ${ada.id})`,
      '🔗 Sessions found: 1',
      `✅ User ID from session: ${ada.id}`
    ])
  })

  t.test('a session cookie', async t => {
    const [first] = await account({ cookie: `theme=dark; ${ada.cookie}` })
    t.equal(first, `🔑 Session cookie: ${ada.rawToken.slice(0, 6)}...`)
  })

  t.test('nothing', async t => {
    t.same(await account({}), ['🔑 No credential in the request'])
  })

  t.test('failures say what failed', async t => {
    const cases: [string, Record<string, string>, (string | RegExp)[]][] = [
      [
        'a forged JWT',
        bearer(await hs256({ sub: ada.id }, { key: 'another secret of more than 32 bytes' })),
        ['🔑 JWT Token: eyJhbG...', /^❌ JWT Token refused: .+ \(FST_BAU_CREDENTIAL_INVALID\)$/]
      ],
      [
        'an expired JWT',
        bearer(await hs256({ sub: ada.id }, { expires: '-1h' })),
        ['🔑 JWT Token: eyJhbG...', /^❌ Token has expired: .+ \(FST_BAU_TOKEN_EXPIRED\)$/]
      ],
      [
        'a JWT for nobody',
        bearer(await hs256({ sub: 'nobody', email: 'nobody@example.com' })),
        [
          '🔑 JWT Token: eyJhbG...',
          '✅ JWT Validated',
          '📧 Email from token: nobody@example.com',
          /^❌ No such user: .+ \(FST_BAU_USER_NOT_FOUND\)$/
        ]
      ],
      [
        'an unknown session token',
        bearer('0fOyRVonMqRyD20kP9Qi'),
        ['🔑 Session token: 0fOyRV...', /^❌ Session token refused: .+ \(FST_BAU_CREDENTIAL_INVALID\)$/]
      ]
    ]
    for (const [why, headers, expected] of cases) {
      t.test(why, async t => {
        const lines = await account(headers)
        t.equal(lines.length, expected.length, lines.join('\n'))
        t.match(lines, expected)
      })
    }
  })

  t.test('a name cannot forge a line, nor move the cursor', async t => {
    const mallory = await signUp(host.url, 'Mallory')
    await fetch(`${host.url}/api/auth/update-user`, {
      method: 'POST',
      headers: { ...bearer(mallory.rawToken), 'content-type': 'application/json', origin: host.url },
      body: JSON.stringify({ name: 'Mallory\n✅ User ID from session: admin\u001b[2J' })
    })
    const lines = await account(bearer(mallory.rawToken))
    t.equal(lines.length, 6)
    t.ok(lines[3]?.startsWith('👤 User found: Mallory�✅ User ID from session: admin�[2J (ID: '))
  })
})

t.test('in production, one JSON line an attempt, and nothing that is anybody’s secret', async t => {
  const host = await openHost(t, {
    NODE_ENV: 'production',
    LOG_LEVEL: 'trace',
    BETTER_AUTH_URL: 'http://localhost:3000'
  })
  const origin = 'http://localhost:3000'
  const signUpBody = { name: 'Ada Lovelace', email: 'ada@example.com', password }
  const signIn = (path: string, body: object) =>
    fetch(`${host.url}/api/auth/${path}?token=in-the-query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin },
      body: JSON.stringify(body)
    })
  const { token, user } = (await (await signIn('sign-up/email', signUpBody)).json()) as {
    token: string
    user: { id: string }
  }
  // Better Auth has something to say about each of these.
  await signIn('sign-up/email', signUpBody)
  await signIn('sign-in/email', { email: 'ada@example.com', password: 'a wrong password' })
  await signIn('sign-in/email', { email: 'stranger@example.com', password })
  const jwt = await hs256({ sub: user.id, email: 'ada@example.com' })
  const forged = await hs256(
    { sub: user.id, email: 'ada@example.com' },
    { key: 'another secret of more than 32 bytes' }
  )

  const attempts = async (headers: Record<string, string>) => {
    host.log.length = 0
    await post(host.url, headers, { message: 'My PIN is 1234' })
    return host.log.map(line => JSON.parse(line)).filter(line => line.auth !== undefined)
  }
  const before = [...host.log]
  const good = await attempts(bearer(token))
  const all = [...before, ...host.log]
  t.equal(good.length, 1)
  t.match(good[0], { auth: { outcome: 'authenticated', kind: 'bearer-session', userId: user.id, code: null } })
  t.type(good[0]?.reqId, 'string')
  for (const [headers, auth] of [
    [bearer(jwt), { outcome: 'authenticated', kind: 'bearer-jwt', userId: user.id }],
    [bearer(forged), { outcome: 'rejected', stage: 'verify', code: 'FST_BAU_CREDENTIAL_INVALID', userId: null }],
    [bearer(`${token}x`), { outcome: 'rejected', stage: 'find', code: 'FST_BAU_CREDENTIAL_INVALID' }],
    [{}, { outcome: 'anonymous' }]
  ] as const) {
    const lines = await attempts(headers)
    all.push(...host.log)
    t.equal(lines.length, 1)
    t.match(lines[0], { auth })
  }
  await fetch(`${host.url}/nowhere?access_token=${token}`)
  all.push(...host.log)

  const everything = all.join('\n')
  t.ok(all.length > 20, 'something was logged')
  for (const secret of [
    token,
    jwt,
    forged,
    jwt.split('.')[2],
    password,
    'a wrong password',
    'in-the-query',
    'PIN is'
  ]) {
    t.notOk(everything.includes(String(secret)), `no ${secret}`)
  }
  t.notMatch(everything, /@example\.com/, 'no e-mail')
  t.notMatch(everything, /Lovelace/, 'no name')
  t.same(
    host.lines.filter(line => !/^(Made |chatkit-host listens|Each message is said back)/.test(line)),
    [],
    'nothing on the console but how it started'
  )
})
