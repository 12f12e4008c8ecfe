import { connect } from 'node:net'
import { openTestServer } from 'embedded-database/testing'
import t from 'tap'
import { post } from './fixtures/chat.ts'
import { openHost, secret } from './fixtures/host.ts'
import { bearer, hs256, jwtOf, password, signUp } from './fixtures/people.ts'
import { startRedis, withoutRedis } from './fixtures/redis-server.ts'

const operatorToken = 'q8GmJX2tYw0bV5nR7kLc4sPd1fHz6aEu'

const environments: Record<string, string>[] = [{}, { NODE_ENV: 'production', BETTER_AUTH_URL: 'http://localhost' }]
for (const environment of environments) {
  const name = 'NODE_ENV' in environment ? 'production' : 'development'
  t.test(`in ${name}, the log of everything, errors included, holds no secret`, async t => {
    const server = await openTestServer()
    t.teardown(() => server.close())
    const redis = withoutRedis ? null : await startRedis(t)
    await redis?.tell('ACL SETUSER cache on >password-of-redis ~* +@all')
    const host = await openHost(t, {
      ...environment,
      DATABASE_URL: server.connectionString,
      REDIS_URL: (redis?.url ?? 'redis://127.0.0.1:1').replace('//', '//cache:password-of-redis@'),
      OPERATOR_TOKEN: operatorToken,
      RATE_LIMIT_TURNS: '1000',
      RATE_LIMIT_SIGN_INS: '1000',
      LOG_LEVEL: 'trace'
    })
    const origin = host.config.authUrl ?? host.url
    const ada = await signUp(host.url, 'Ada', origin)
    const wrong = {
      signature: await hs256({ sub: ada.id }, { key: 'another secret of more than 32 bytes' }),
      expired: await hs256({ sub: ada.id }, { expires: '-1h' }),
      nobody: await hs256({ sub: 'nobody-at-all' })
    }
    const good = { hs256: await hs256({ sub: ada.id }), jwt: await jwtOf(host.url, ada) }
    const secrets = [
      secret,
      operatorToken,
      'password-of-redis',
      new URL(server.connectionString).password,
      password,
      ada.rawToken,
      ada.signedToken,
      ada.cookie.split('=')[1] ?? '',
      decodeURIComponent(ada.cookie.split('.').at(-1) ?? ''),
      ...Object.values(wrong),
      ...Object.values(good),
      ...[...Object.values(wrong), ...Object.values(good)].flatMap(jwt => jwt.split('.').slice(1)),
      'a-guessed-session-token',
      'a-wrong-password',
      'token-in-a-query',
      'token-of-a-mail',
      'dXNlcjpwYXNzd29yZA==',
      'what I say is mine'
    ]

    const everything = async () => {
      const credentials: Record<string, string>[] = [
        bearer(ada.rawToken),
        bearer(ada.signedToken),
        ...[...Object.values(good), ...Object.values(wrong)].map(bearer),
        bearer('a-guessed-session-token'),
        { cookie: ada.cookie },
        { cookie: 'better-auth.session_token=a-guessed-session-token.c2lnbmF0dXJl' },
        { authorization: 'Basic dXNlcjpwYXNzd29yZA==' },
        { authorization: 'Bearer a-guessed-session-token and-more' },
        { 'x-api-key': 'a-guessed-session-token' }
      ]
      for (const headers of credentials) {
        await post(host.url, headers, { message: 'what I say is mine' })
        await post(host.url, headers, '{"message": "what I say is mine')
        await get(`/nowhere?token=token-in-a-query`, headers)
        await get(`/health/ready?access_token=token-in-a-query`, headers)
      }
      for (const what of [`?token=token-in-a-query`, `/${ada.rawToken}?x=%zz`, '/%zz?token=token-in-a-query']) {
        await get(what.startsWith('/') ? what : `/${what}`)
      }
      for (const [path, body] of [
        ['sign-in/email', { email: ada.email, password }],
        ['sign-in/email', { email: ada.email, password: 'a-wrong-password' }],
        ['sign-in/email', `{"email":"${ada.email}","password":"a-wrong-password`],
        ['sign-up/email', { name: 'Ada', email: ada.email, password }],
        ['sign-up/email', { name: 'Ada', email: 'no address', password: 'a-wrong-password' }],
        ['reset-password?token=token-of-a-mail', { newPassword: 'a-wrong-password', token: 'token-of-a-mail' }],
        ['change-password', { currentPassword: password, newPassword: 'a-wrong-password' }]
      ] as [string, unknown][]) {
        const text = typeof body === 'string' ? body : JSON.stringify(body)
        for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
          const headers = { 'content-type': type, origin, ...bearer(ada.rawToken) }
          const reply = await fetch(`${host.url}/api/auth/${path}`, { method: 'POST', headers, body: text })
          await reply.text()
        }
      }
      await get('/api/auth/verify-email?token=token-of-a-mail')
      await get('/api/auth/reset-password/token-of-a-mail?callbackURL=/')
      await get('/metrics', { authorization: `Bearer ${operatorToken}` })
      await garbage(`GET / HTTP/1.1\r\nAuthorization: Bearer ${ada.rawToken}\r\nbroken header\r\n\r\n`)
    }
    const get = async (path: string, headers: Record<string, string> = {}) => {
      const reply = await fetch(`${host.url}${path}`, { headers, redirect: 'manual' })
      await reply.text()
    }
    const garbage = (text: string) =>
      new Promise<void>(resolve => {
        const socket = connect(Number(new URL(host.url).port), '127.0.0.1', () => socket.end(text))
        socket.on('close', () => resolve())
        socket.resume()
      })

    await everything()
    // Another password there: each connection from now on is refused, with the command that was sent.
    await redis?.tell('ACL SETUSER cache resetpass >another-password')
    await redis?.tell('CLIENT KILL USER cache')
    const refused = () => redis === null || host.log.some(line => line.includes('WRONGPASS'))
    for (let tries = 0; tries < 200 && !refused(); tries++) await new Promise(resolve => setTimeout(resolve, 50))
    t.ok(refused(), 'Redis has refused a connection')
    // A row that is there already: PostgreSQL says which, with its values.
    const err = await host.app.pg.query('insert into "user" select * from "user" where email = $1', [ada.email]).then(
      () => null,
      (error: Error) => error
    )
    t.match(err, { code: '23505', detail: ada.id })
    host.app.log.error({ err }, 'as an error reply would log it')
    await server.stop()
    await everything()
    await server.start()

    const log = host.log.join('')
    t.ok(host.log.length > 200, `${host.log.length} lines`)
    t.match(log, /"level":50/, 'errors are among them')
    t.match(log, /FST_BAU_CREDENTIAL_INVALID/)
    for (const one of new Set(secrets)) {
      t.ok(one.length >= 8, 'long enough to be looked for')
      const line = host.log.find(text => text.includes(one) || text.includes(encodeURIComponent(one)))
      t.equal(line, undefined, `no line holds ${one.slice(0, 12)}…`)
      t.notOk(
        host.lines.some(text => text.includes(one)),
        'nor does the console'
      )
    }
    for (const personal of [ada.email, '"Ada"', `(id)=(${ada.id})`]) t.notOk(log.includes(personal), `nor ${personal}`)
  })
}
