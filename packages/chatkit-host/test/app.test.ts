import { connect } from 'node:net'
import { CHAT_PATH } from 'chatkit-host'
import t, { type Test } from 'tap'
import { listThreads, post, said, threadOf } from './fixtures/chat.ts'
import { openHost } from './fixtures/host.ts'
import { bearer, hs256, jwtOf, signUp } from './fixtures/people.ts'

t.test('every way to sign in gets a streamed, stored reply', async t => {
  const host = await openHost(t)
  const ada = await signUp(host.url, 'Ada')
  const bob = await signUp(host.url, 'Bob')
  const credentials = {
    'session token, raw': bearer(ada.rawToken),
    'session token, signed': bearer(ada.signedToken),
    cookie: { cookie: ada.cookie },
    'JWT of Better Auth’s own keys': bearer(await jwtOf(host.url, ada)),
    'HS256 token': bearer(await hs256({ sub: ada.id }))
  }
  const threads: string[] = []
  for (const [name, headers] of Object.entries(credentials)) {
    t.test(name, async t => {
      const answer = await post(host.url, headers, { message: `Hello by ${name}` })
      t.equal(answer.status, 200)
      t.equal(answer.headers.get('content-type')?.split(';')[0], 'text/event-stream')
      t.equal(said(answer), `Hello by ${name}`)
      const thread = threadOf(answer)
      threads.unshift(thread)
      t.same(await listThreads(host.url, headers), threads, 'newest first')

      const more = await post(host.url, headers, { message: 'And more', thread_id: thread })
      t.equal(said(more), 'And more', 'the same thread goes on')
    })
  }

  t.test('another user sees none of it', async t => {
    t.same(await listThreads(host.url, bearer(bob.rawToken)), [])
    const [thread] = threads
    const get = await post(host.url, bearer(bob.rawToken), { type: 'threads.get_by_id', params: { thread_id: thread } })
    t.equal(get.status, 404)
    t.match(get.json, { error: 'Thread not found', status: 404, code: 'FST_CHATKIT_THREAD_NOT_FOUND' })
    const add = await post(host.url, bearer(bob.rawToken), { message: 'Let me in', thread_id: thread })
    t.equal(add.status, 404)
  })

  t.test('it is still there after a restart', async t => {
    await host.close()
    const again = await openHost(t, { DATABASE_URL: host.databaseUrl })
    t.same(await listThreads(again.url, bearer(ada.rawToken)), threads)
    const { json } = await post(again.url, bearer(ada.rawToken), {
      type: 'items.list',
      params: { thread_id: threads[0], order: 'asc' }
    })
    const items = json.data as { type: string; content: { text: string }[] }[]
    t.same(
      items.map(item => [item.type, item.content[0]?.text]),
      [
        ['user_message', 'Hello by HS256 token'],
        ['assistant_message', 'Hello by HS256 token'],
        ['user_message', 'And more'],
        ['assistant_message', 'And more']
      ]
    )
  })
})

t.test('turned away', async t => {
  const host = await openHost(t)
  const ada = await signUp(host.url)

  t.test('a stranger’s malformed body is not looked at', async t => {
    const stranger = await post(host.url, {}, '{"message": nonsense')
    t.equal(stranger.status, 401)
    t.match(stranger.json, { error: 'Authentication required', status: 401, code: 'FST_BAU_CREDENTIAL_MISSING' })
    t.equal(stranger.headers.get('www-authenticate'), 'Bearer realm="api"')

    const known = await post(host.url, bearer(ada.rawToken), '{"message": nonsense')
    t.equal(known.status, 400)
    t.match(known.json, { status: 400, code: 'FST_ERR_CTP_INVALID_JSON_BODY' })
  })

  t.test('bad requests of somebody known are 4xx, in the one shape', async t => {
    const cases: [string, Record<string, string>, unknown, number][] = [
      ['a word for a body', {}, '"hello"', 400],
      ['an unknown type', {}, { type: 'threads.explode', params: {} }, 400],
      ['a message that is no text', {}, { message: 5 }, 400],
      ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'message=Hello', 415],
      ['plain text, as a page elsewhere could send it', { 'content-type': 'text/plain' }, '{"message":"Hello"}', 400]
    ]
    for (const [why, headers, body, status] of cases) {
      t.test(why, async t => {
        const answer = await post(host.url, { ...bearer(ada.rawToken), ...headers }, body)
        t.ok(answer.status === status || (status === 400 && answer.status === 415), `${answer.status}`)
        t.equal(answer.json.status, answer.status)
        t.type(answer.json.error, 'string')
        t.equal(answer.json.message, answer.json.error)
        t.type(answer.json.code, 'string')
      })
    }
  })

  t.test('an unknown address', async t => {
    const reply = await fetch(`${host.url}/nowhere?token=secret`)
    t.equal(reply.status, 404)
    t.same(await reply.json(), {
      error: 'Nothing answers GET at this address',
      status: 404,
      message: 'Nothing answers GET at this address',
      code: 'NOT_FOUND',
      requestId: reply.headers.get('x-request-id')
    })
  })

  t.test('a malformed address', async t => {
    const { hostname, port } = new URL(host.url)
    const text = await raw(Number(port), hostname, 'GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    t.match(text, /^HTTP\/1.1 400 /)
    t.match(JSON.parse(text.slice(text.indexOf('{'))), { status: 400, code: 'FST_ERR_BAD_URL' })
  })
})

t.test('CORS headers', async t => {
  const origin = 'https://app.example.com'
  const host = await openHost(t, { CORS_ORIGINS: `${origin},https://other.example.com` })
  const ada = await signUp(host.url)
  const allowed = (t: Test, headers: Headers) => {
    t.equal(headers.get('access-control-allow-origin'), origin)
    t.equal(headers.get('access-control-allow-credentials'), 'true')
    t.match(headers.get('vary'), /Origin/i)
    t.match(headers.get('access-control-expose-headers'), /www-authenticate/)
  }

  t.test('on a stream', async t => {
    const answer = await post(host.url, { ...bearer(ada.rawToken), origin })
    t.equal(answer.events[0]?.type, 'thread.created')
    allowed(t, answer.headers)
  })
  t.test('on 401', async t => {
    const answer = await post(host.url, { origin })
    t.equal(answer.status, 401)
    allowed(t, answer.headers)
  })
  t.test('on 404', async t => {
    const reply = await fetch(`${host.url}/nowhere`, { headers: { origin } })
    t.equal(reply.status, 404)
    allowed(t, reply.headers)
    await reply.text()
  })
  t.test('on Better Auth’s own answers', async t => {
    const reply = await fetch(`${host.url}/api/auth/get-session`, { headers: { origin, ...bearer(ada.rawToken) } })
    t.equal(reply.status, 200)
    allowed(t, reply.headers)
    await reply.text()
  })
  t.test('not on what is no preflight, which is refused in the shape of every error', async t => {
    const reply = await fetch(`${host.url}${CHAT_PATH}`, { method: 'OPTIONS' })
    t.equal(reply.status, 400)
    t.match(await reply.json(), { error: 'This is no preflight request', status: 400, code: 'INVALID_PREFLIGHT' })
  })

  t.test('on a preflight, which needs no credential', async t => {
    const reply = await fetch(`${host.url}${CHAT_PATH}`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,chatkit-frame-instance-id'
      }
    })
    t.equal(reply.status, 204)
    t.equal(reply.headers.get('access-control-allow-origin'), origin)
    t.match(reply.headers.get('access-control-allow-methods'), /POST/)
    for (const name of ['content-type', 'authorization', 'accept-language', 'chatkit-frame-instance-id']) {
      t.match(reply.headers.get('access-control-allow-headers'), new RegExp(name))
    }
    t.equal(reply.headers.get('access-control-max-age'), '7200')
  })
  t.test('and a cookie counts from a page that may call, from no other', async t => {
    const cookie = { cookie: ada.cookie }
    t.equal((await post(host.url, { ...cookie, origin })).status, 200)
    t.equal((await post(host.url, { ...cookie, origin: host.url })).status, 200)
    const foreign = await post(host.url, { ...cookie, origin: 'https://evil.example.com' })
    t.ok([401, 403].includes(foreign.status), `${foreign.status}`)
    t.equal(foreign.json.status, foreign.status)
  })
  t.test('not for an origin that is not named', async t => {
    const answer = await post(host.url, { ...bearer(ada.rawToken), origin: 'https://evil.example.com' })
    t.equal(answer.headers.get('access-control-allow-origin'), null)
  })
})

t.test('open to everybody', async t => {
  const host = await openHost(t)
  const root = await fetch(host.url)
  t.match(await root.json(), { name: 'chatkit-host', chat: 'POST /support/chatkit', signIn: '/api/auth' })
  const live = await fetch(`${host.url}/health/live`)
  t.same([live.status, await live.json()], [200, { status: 'live', server: 'chatkit-host' }])
  t.same(
    host.lines.filter(line => line.includes('credential')),
    [],
    'and nobody is asked who they are'
  )
})

/** Sends bytes and reads all that comes back. */
function raw(port: number, host: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, host, () => socket.write(request))
    socket
      .setEncoding('utf8')
      .on('data', chunk => {
        text += chunk
      })
      .on('end', () => resolve(text))
      .on('error', reject)
  })
}
