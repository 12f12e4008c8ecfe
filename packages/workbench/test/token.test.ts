import { CHAT_PATH } from 'chatkit-host'
import { secondsOf } from 'chatkit-host/development'
import t from 'tap'
import { token } from '../src/token.ts'
import { openHost, run } from './fixtures/workbench.ts'

t.test('pnpm run token', async t => {
  const environment = await openHost(t)
  const url = `http://127.0.0.1:${environment.PORT}`
  const mint = async (...args: string[]) => (await run(token, args, environment)).join('\n')
  const send = async (headers: Record<string, string>) => {
    const reply = await fetch(`${url}${CHAT_PATH}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ type: 'threads.list', params: {} })
    })
    await reply.body?.cancel()
    return reply.status
  }
  const bearer = async (...args: string[]) => send({ authorization: `Bearer ${await mint(...args)}` })

  t.test('mints what the host takes', async t => {
    t.equal(await bearer(), 200, 'an HS256 token of Ada')
    t.equal(await bearer('--user', 'bob', '--ttl', '1m'), 200)
    t.equal(await bearer('--kind', 'bearer-session'), 200)
    t.equal(await bearer('--kind', 'key-set-jwt'), 200)
    t.equal(await send({ cookie: await mint('--kind', 'session-cookie') }), 200)
    const [found = ''] = await run(token, ['--url', url], { ...environment, PORT: '0' })
    t.equal(await send({ authorization: `Bearer ${found}` }), 200, 'of a host that is named')
  })

  t.test('mints what it refuses', async t => {
    for (const bad of ['signature', 'tampered', 'unsigned', 'algorithm', 'expired', 'notYet', 'noExpiry', 'type']) {
      t.equal(await bearer('--bad', bad), 401, bad)
    }
    t.equal(await bearer('--bad', 'unknown'), 404, 'a genuine token for nobody')
    for (const bad of ['signature', 'unknown', 'revoked']) {
      t.equal(await bearer('--kind', 'bearer-session', '--bad', bad), 401, `session, ${bad}`)
    }
    t.equal(await bearer('--kind', 'key-set-jwt', '--bad', 'tampered'), 401)
    t.equal(await send({ cookie: await mint('--kind', 'session-cookie', '--bad', 'unsigned') }), 401)
    const claims = JSON.parse(Buffer.from((await mint('--ttl', '2h')).split('.')[1] ?? '', 'base64url').toString())
    t.equal(claims.exp - claims.iat, 7200)
  })

  t.test('says what cannot be had, and what can', async t => {
    const cases: [args: string[], message: RegExp][] = [
      [['--bad', 'expierd'], /--bad expierd cannot be had of a bearer-jwt: choose one of signature/],
      [['--bad', 'issuer'], /BETTER_AUTH_ISSUER is set/],
      [['--kind', 'magic'], /choose one of bearer-jwt, bearer-session/],
      [['--ttl', 'soon'], /write 90s, 15m, 2h or 7d/],
      [['--kind', 'session-cookie', '--ttl', '1h'], /--ttl is for --kind bearer-jwt/],
      [['--user', 'Ada Lovelace'], /is no name/],
      [['--colour', 'red'], /Unknown option '--colour'[\s\S]*Usage: pnpm run token/],
      [['--url', 'https://app.example.com'], /is not on this machine/],
      [['--url', 'http://127.0.0.1:1'], /No host answers at http:\/\/127.0.0.1:1: start one/]
    ]
    for (const [args, message] of cases) await t.rejects(mint(...args), { message })
  })
})

t.test('times are written with their unit', async t => {
  t.same(['90s', '15m', '2h', '7d'].map(secondsOf), [90, 900, 7200, 604800])
})
