import { connect } from 'node:net'
import t from 'tap'
import { post } from './fixtures/chat.ts'
import { openHost } from './fixtures/host.ts'
import { bearer, password, signUp } from './fixtures/people.ts'

t.test('Better Auth, mounted', async t => {
  const host = await openHost(t)
  const ada = await signUp(host.url)
  const url = (path: string) => `${host.url}/api/auth/${path}`
  const asPage = { origin: host.url }

  t.test('a form arrives as it was sent', async t => {
    const reply = await fetch(url('sign-in/email'), {
      method: 'POST',
      headers: { ...asPage, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ email: 'ada@example.com', password })
    })
    t.equal(reply.status, 200)
    t.match(await reply.json(), { user: { id: ada.id } })
  })

  t.test('cookies are set one by one', async t => {
    const reply = await fetch(url('sign-in/email'), {
      method: 'POST',
      headers: { ...asPage, 'content-type': 'application/json' },
      body: JSON.stringify({ email: ada.email, password, rememberMe: false })
    })
    const cookies = reply.headers.getSetCookie().map(cookie => cookie.split('=', 1)[0])
    t.same(cookies.sort(), ['better-auth.dont_remember', 'better-auth.session_token'])
  })

  t.test('sign-out ends the session everywhere', async t => {
    const bob = await signUp(host.url, 'Bob')
    t.equal((await post(host.url, bearer(bob.rawToken))).status, 200)
    const reply = await fetch(url('sign-out'), {
      method: 'POST',
      headers: { ...asPage, cookie: bob.cookie, 'content-type': 'application/json' },
      body: '{}'
    })
    t.equal(reply.status, 200)
    for (const headers of [bearer(bob.rawToken), bearer(bob.signedToken), { cookie: bob.cookie }]) {
      t.equal((await post(host.url, headers)).status, 401)
    }
  })

  t.test('a page elsewhere cannot use a cookie', async t => {
    const reply = await fetch(url('sign-out'), {
      method: 'POST',
      headers: { origin: 'https://evil.example.com', cookie: ada.cookie, 'content-type': 'application/json' },
      body: '{}'
    })
    t.equal(reply.status, 403)
    t.equal((await post(host.url, bearer(ada.rawToken))).status, 200, 'she is still signed in')
  })

  t.test('this machine’s other names are ours as well', async t => {
    const { port } = new URL(host.url)
    const reply = await fetch(url('sign-in/email'), {
      method: 'POST',
      headers: { origin: `http://localhost:${port}`, cookie: ada.cookie, 'content-type': 'application/json' },
      body: JSON.stringify({ email: ada.email, password })
    })
    t.equal(reply.status, 200)
  })

  t.test('its own refusals come through', async t => {
    const wrong = await fetch(url('sign-in/email'), {
      method: 'POST',
      headers: { ...asPage, 'content-type': 'application/json' },
      body: JSON.stringify({ email: ada.email, password: 'a wrong one' })
    })
    t.equal(wrong.status, 401)
    t.match(await wrong.json(), { code: 'INVALID_EMAIL_OR_PASSWORD' })
    for (const [body, type] of [
      ['{"email":', 'application/json'],
      ['', 'application/json'],
      ['\0\xff', 'application/octet-stream'],
      ['a=1', 'text/plain']
    ] as const) {
      const reply = await fetch(url('sign-in/email'), {
        method: 'POST',
        headers: { ...asPage, 'content-type': type },
        body
      })
      t.ok(reply.status >= 400 && reply.status < 500, `${type} "${body}": ${reply.status}`)
    }
    t.equal((await fetch(url('no-such-thing'))).status, 404)
  })

  t.test('JWTs and the keys to check them', async t => {
    const token = await fetch(url('token'), { headers: bearer(ada.rawToken) })
    t.match(((await token.json()) as { token: string }).token, /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/)
    t.match(await (await fetch(url('jwks'))).json(), { keys: [{ kty: 'OKP', crv: 'Ed25519' }] })
  })

  t.test('a session remembers the real address, whatever a client says', async t => {
    const reply = await fetch(url('sign-in/email'), {
      method: 'POST',
      headers: {
        ...asPage,
        'content-type': 'application/json',
        'x-forwarded-for': '203.0.113.9',
        'x-chatkit-host-client-address': '203.0.113.9'
      },
      body: JSON.stringify({ email: ada.email, password })
    })
    const { token } = (await reply.json()) as { token: string }
    const session = await fetch(url('get-session'), { headers: bearer(token) })
    t.match(await session.json(), { session: { ipAddress: '127.0.0.1' } })
  })

  t.test('a body broken off harms nobody', async t => {
    const { hostname, port } = new URL(host.url)
    const socket = connect(Number(port), hostname)
    socket.write(
      'POST /api/auth/sign-in/email HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"email"'
    )
    await new Promise(resolve => setTimeout(resolve, 100))
    socket.destroy()
    await new Promise(resolve => setTimeout(resolve, 100))
    t.equal((await fetch(url('get-session'))).status, 200)
  })

  t.test('an address that names another host stays here', async t => {
    for (const target of [
      '//evil.example/api/auth/ok',
      'http://evil.example/api/auth/ok',
      '/api/auth//ok',
      '/api/auth/%'
    ]) {
      const status = await statusOf(host.url, target)
      t.ok(status >= 200 && status < 500, `${target}: ${status}`)
    }
  })
})

t.test('with a database of its own the host mounts nothing unless asked', async t => {
  const first = await openHost(t)
  const ada = await signUp(first.url)
  const second = await openHost(t, { DATABASE_URL: first.databaseUrl, BETTER_AUTH_MOUNT: '0' })
  t.equal((await fetch(`${second.url}/api/auth/get-session`)).status, 404)
  t.equal((await post(second.url, bearer(ada.rawToken))).status, 200, 'but knows who signed in elsewhere')
})

function statusOf(url: string, target: string): Promise<number> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    socket.setEncoding('utf8')
    socket.once('data', chunk => resolve(Number(String(chunk).split(' ')[1])))
    socket.on('error', reject)
  })
}
