import { channel } from 'node:diagnostics_channel'
import { connect } from 'node:net'
import { openTestServer } from 'embedded-database/testing'
import t from 'tap'
import { post, threadOf } from './fixtures/chat.ts'
import { openHost } from './fixtures/host.ts'
import { bearer, signUp } from './fixtures/people.ts'

const operatorToken = 'q8GmJX2tYw0bV5nR7kLc4sPd1fHz6aEu'

t.test('a request has one id, in the answer and in every line of the log', async t => {
  const host = await openHost(t, { LOG_LEVEL: 'info' })
  const ada = await signUp(host.url)
  const idOf = async (given?: string) => {
    const { headers } = await post(host.url, given === undefined ? {} : { 'x-request-id': given })
    return headers.get('x-request-id') ?? ''
  }
  t.equal(await idOf('Root=1-67891233:abcdef/0.1+2'), 'Root=1-67891233:abcdef/0.1+2', 'the one it came with')
  const uuid = /^[0-9a-f]{8}-[0-9a-f-]{27}$/
  t.match(await idOf(), uuid, 'a new one')
  for (const given of ['x'.repeat(129), 'a b', '{"a":1}', 'ü']) t.match(await idOf(given), uuid, `not ${given}`)

  host.log.length = 0
  await post(host.url, { ...bearer(ada.rawToken), 'x-request-id': 'edge-7' })
  const lines = host.log.map(line => JSON.parse(line) as { reqId?: string; msg: string })
  t.ok(lines.some(({ msg }) => msg === 'request completed'))
  for (const { reqId, msg } of lines) t.equal(reqId, 'edge-7', msg)
})

t.test('headers that keep browsers from harm', async t => {
  const host = await openHost(t, { TRUST_PROXY: 'loopback' })
  for (const path of ['/', '/nowhere', '/api/auth/get-session', '/health/ready']) {
    const { headers } = await fetch(`${host.url}${path}`)
    t.match(headers.get('content-security-policy'), /frame-ancestors/, path)
    t.equal(headers.get('x-content-type-options'), 'nosniff', path)
    t.equal(headers.get('referrer-policy'), 'no-referrer', path)
    t.equal(headers.get('strict-transport-security'), null, 'not over plain HTTP')
  }
  const behindTls = await fetch(`${host.url}/nowhere`, { headers: { 'x-forwarded-proto': 'https' } })
  t.match(behindTls.headers.get('strict-transport-security'), /^max-age=\d{7,}/)

  const unbelieving = await openHost(t)
  const forged = await fetch(`${unbelieving.url}/nowhere`, { headers: { 'x-forwarded-proto': 'https' } })
  t.equal(forged.headers.get('strict-transport-security'), null)
})

t.test('what is no request in time, or no request, is answered and ended', async t => {
  const host = await openHost(t, { REQUEST_TIMEOUT: '1' })
  const port = Number(new URL(host.url).port)
  const send = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text))
      let answer = ''
      socket.on('data', chunk => (answer += chunk))
      socket.on('close', () => resolve(answer))
      socket.on('error', reject)
    })
  const cases: [string, string, number, string][] = [
    ['headers without end', 'GET / HTTP/1.1\r\nHost: x\r\n', 408, 'REQUEST_TIMEOUT'],
    [
      'a body without end',
      'POST /api/auth/sign-in/email HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
      408,
      'REQUEST_TIMEOUT'
    ],
    ['another language', 'EHLO mail.example.com\r\n\r\n', 400, 'BAD_REQUEST'],
    ['headers of 32 kB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(32_768)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE']
  ]
  await Promise.all(
    cases.map(async ([why, text, status, code]) => {
      const answer = await send(text)
      t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), why)
      t.match(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))), { status, code, error: String }, why)
    })
  )
})

t.test('a process that lags tells new requests to come back', async t => {
  const host = await openHost(t, { MAX_EVENT_LOOP_DELAY: '15' })
  const status = async (path: string) => (await fetch(`${host.url}${path}`)).status
  const load = setInterval(() => {
    const until = Date.now() + 50
    while (Date.now() < until);
  }, 60)
  t.teardown(() => clearInterval(load))
  t.ok(await eventually(async () => (await status('/')) === 503))
  const refused = await post(host.url, {})
  t.match(refused, { status: 503, json: { code: 'FST_UNDER_PRESSURE', error: /busy/ } })
  t.equal(refused.headers.get('retry-after'), '5')
  t.equal(await status('/health/live'), 200)
  t.equal(await status('/health/ready'), 200)
  clearInterval(load)
  t.ok(await eventually(async () => (await status('/')) === 200), 'later all is as before')
})

t.test('readiness, part by part', async t => {
  const server = await openTestServer()
  t.teardown(() => server.close())
  const host = await openHost(t, {
    DATABASE_URL: server.connectionString,
    OPERATOR_TOKEN: operatorToken,
    LOG_LEVEL: 'info'
  })
  const ready = async (headers = {}) => {
    const reply = await fetch(`${host.url}/health/ready`, { headers })
    return { status: reply.status, body: (await reply.json()) as { status: string; parts: Record<string, Part> } }
  }
  type Part = { ok: boolean; problems?: string[] }
  const well = { ok: true }
  t.same(await ready(), {
    status: 200,
    body: { status: 'ready', parts: { database: well, tables: well, authentication: well, shutdown: well } }
  })

  await host.app.pg.query("delete from chatkit.migration where name like '0001%'")
  t.ok(await eventually(async () => (await ready()).status === 503))
  t.match((await ready()).body.parts, { database: well, tables: { ok: false }, authentication: well })

  await server.stop()
  t.ok(await eventually(async () => (await ready()).body.parts.database?.ok === false))
  t.same((await ready()).body, {
    status: 'not ready',
    parts: { database: { ok: false }, tables: { ok: false }, authentication: { ok: false }, shutdown: well }
  })
  t.same((await ready({ authorization: 'Bearer guess' })).body, (await ready()).body, 'strangers hear no reasons')
  const { parts } = (await ready({ authorization: `Bearer ${operatorToken}` })).body
  t.match(parts.database?.problems, [/^The database cannot be reached \(\S+\): check DATABASE_URL/])
  t.notMatch(JSON.stringify(parts), new URL(server.connectionString).password)
  t.equal((await fetch(`${host.url}/health/live`)).status, 200)
  t.ok(host.log.some(line => line.includes('"not ready"') && line.includes('The database cannot be reached')))

  await server.start()
  await host.app.pg.query("insert into chatkit.migration (name, checksum) values ('0001-threads', '')")
  t.ok(await eventually(async () => (await ready()).status === 200))

  const draining = host.app.drain.begin(0)
  t.same((await ready()).body.parts.shutdown, { ok: false }, 'told to stop')
  await draining
})

t.test('figures for Prometheus', async t => {
  const host = await openHost(t, { METRICS: 'main', OPERATOR_TOKEN: operatorToken })
  const stranger = await fetch(`${host.url}/metrics`)
  t.equal(stranger.status, 404, 'strangers are not even told that there are any')
  await stranger.body?.cancel()
  const figures = async () => {
    const reply = await fetch(`${host.url}/metrics`, { headers: { authorization: `Bearer ${operatorToken}` } })
    t.match(reply.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
    return reply.text()
  }
  const ada = await signUp(host.url)
  const answer = await post(host.url, { cookie: ada.cookie }, { message: 'one two three' })
  const deltas = answer.events.filter(event => JSON.stringify(event).includes('.text_delta"')).length
  await post(host.url, bearer('guess'))
  for (let count = 0; count < 30; count++) await post(host.url, {}, '') // strangers
  await fetch(`${host.url}/nowhere/${'x'.repeat(50)}`)
  channel('chatkit-host:model').publish({
    outcome: 'done',
    model: 'small',
    firstTokenMs: 200,
    durationMs: 1500,
    inputTokens: 12,
    outputTokens: 7
  })
  for (let count = 0; count < 50; count++) {
    const call = { firstTokenMs: null, durationMs: 1, inputTokens: null, outputTokens: null }
    channel('chatkit-host:model').publish({ ...call, outcome: `made up ${count}`, model: `made up ${count}` })
  }

  const text = await figures()
  const lines = new Set(text.split('\n'))
  const value = (series: string) => [...lines].find(line => line.startsWith(`${series} `))?.split(' ')[1]
  const route = 'method="POST",route="/support/chatkit"'
  t.equal(value(`chatkit_host_request_duration_seconds_count{${route},status="200"}`), '1')
  t.equal(value(`chatkit_host_request_duration_seconds_count{${route},status="401"}`), '31')
  t.equal(value('chatkit_host_request_duration_seconds_count{method="any",route="none",status="404"}'), '2')
  const good = 'outcome="authenticated",kind="session-cookie",code="none"'
  t.equal(value(`chatkit_host_authentications_total{${good}}`), '1')
  const bad = 'outcome="rejected",kind="bearer-session",code="FST_BAU_CREDENTIAL_INVALID"'
  t.equal(value(`chatkit_host_authentications_total{${bad}}`), '1')
  t.equal(value('chatkit_host_authentication_duration_seconds_count{kind="session-cookie"}'), '1')
  t.ok(Number(value('chatkit_host_lookup_duration_seconds_count{outcome="done"}')) >= 2, 'lookups are counted')
  t.equal(value('chatkit_host_identity_cache_trusted'), '0', 'nothing is cached here')
  t.equal(value('chatkit_host_identity_cache_events{event="recalled"}'), '0')
  t.equal(value('chatkit_host_turn_duration_seconds_count{outcome="done"}'), '1')
  t.equal(value('chatkit_host_streams_open'), '0')
  t.equal(value('chatkit_host_deltas_total'), String(deltas))
  t.equal(value('chatkit_host_model_duration_seconds_count{model="small",outcome="done"}'), '1')
  t.equal(value('chatkit_host_model_tokens_total{model="small",direction="output"}'), '7')
  t.ok(Number(value('chatkit_host_database_connections{state="idle"}')) >= 1)
  t.ok(value('nodejs_eventloop_lag_seconds'))
  t.equal(new Set(text.match(/model="[^"]+"/g)).size, 21, 'twenty models, and others')
  for (const secret of [ada.id, ada.email, ada.rawToken, 'xxxx', threadOf(answer)]) t.notOk(text.includes(secret))
})

t.test('figures on a port of their own', async t => {
  const host = await openHost(t, { METRICS: '127.0.0.1:0', LOG_LEVEL: 'info' })
  const { port } = host.log.map(line => JSON.parse(line).metrics).find(Boolean)
  const reply = await fetch(`http://127.0.0.1:${port}/metrics`)
  t.equal(reply.status, 200)
  t.match(await reply.text(), /^process_cpu_user_seconds_total /m)
  t.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 404)
  t.equal((await fetch(`${host.url}/metrics`)).status, 404, 'and not beside everything else')

  const taken = { METRICS: String(port), BETTER_AUTH_MOUNT: '1', DATABASE_URL: host.databaseUrl }
  await t.rejects(openHost(t, taken), {
    name: 'StartError',
    message: `METRICS cannot be served on port ${port} of 127.0.0.1 (EADDRINUSE): choose another.`
  })
  await host.close()
  await t.rejects(fetch(`http://127.0.0.1:${port}/metrics`), 'closed with the host')
})

t.test('told to stop, a host lets open answers end before it closes', async t => {
  const host = await openHost(t, { DRAIN_TIMEOUT: '20' })
  const ada = await signUp(host.url)
  const message = 'word '.repeat(15_000)
  const answer = post(host.url, bearer(ada.rawToken), { message })
  t.ok(await eventually(async () => host.app.drain.open > 0))
  const closing = host.close()
  t.equal((await fetch(`${host.url}/health/ready`)).status, 503, 'no new ones are to be sent here')
  const { events } = await answer
  t.equal(events.at(-1)?.type, 'thread.item.done', 'the whole answer')
  await closing
  await t.rejects(fetch(host.url))
})

t.test('told to stop, a host waits for nobody who has not sent a whole request', async t => {
  const host = await openHost(t)
  const ada = await signUp(host.url)
  const half = async (text: string) => {
    const socket = connect(Number(new URL(host.url).port), '127.0.0.1')
    t.teardown(() => socket.destroy())
    await new Promise(resolve => socket.once('connect', resolve))
    socket.write(text)
  }
  await half('POST /support/chatkit HTTP/1.1\r\nHost: x\r\n')
  await half('POST /api/auth/sign-in/email HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{')
  t.ok(await eventually(async () => host.app.drain.open > 0))
  const answer = post(host.url, bearer(ada.rawToken), { message: 'word '.repeat(15_000) })
  t.ok(await eventually(async () => host.app.drain.open > 1))
  const began = performance.now()
  await host.close()
  t.ok(performance.now() - began < 5000, `closed after ${Math.round(performance.now() - began)} ms`)
  t.match((await answer).events.at(-1), { type: 'error', allow_retry: true }, 'whoever is read to is told')
})

async function eventually(check: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    if (await check()) return true
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return false
}
