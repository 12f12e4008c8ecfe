import { request } from 'node:http'
import t, { type Test } from 'tap'
import { FAILURES_A_MINUTE } from '../src/limit/rate-limits.ts'
import { type Answer, post, said } from './fixtures/chat.ts'
import { openHost } from './fixtures/host.ts'
import { bearer, signUp } from './fixtures/people.ts'
import { startRedis, withoutRedis } from './fixtures/redis-server.ts'

/** Told to wait, in the shape of every error. */
function toldToWait(t: Test, { status, headers, json }: Answer, what: RegExp) {
  t.equal(status, 429)
  const seconds = Number(headers.get('retry-after'))
  t.ok(seconds >= 1 && seconds <= 60, `Retry-After is ${seconds}`)
  t.match(json, { status: 429, code: 'RATE_LIMITED', error: what, message: what })
}

t.test('in production, guesses are limited, and nobody else is', async t => {
  const host = await openHost(t, { NODE_ENV: 'production', BETTER_AUTH_URL: 'https://chat.example.com' })
  const ada = await signUp(host.url, 'Ada', 'https://chat.example.com')
  const statuses: number[] = []
  for (let guess = 0; guess < FAILURES_A_MINUTE + 3; guess++) {
    statuses.push((await post(host.url, bearer(`guess-${guess}`))).status)
  }
  t.same(statuses, [...Array(FAILURES_A_MINUTE).fill(401), 429, 429, 429])
  toldToWait(t, await post(host.url, bearer('guess')), /^Too many refused credentials; try again in \d+ seconds$/)
  t.equal((await post(host.url, bearer(ada.rawToken))).status, 200, 'a good credential from the same address')
  t.equal((await post(host.url, {})).status, 401, 'no credential is no guess')

  const signIn = () =>
    fetch(`${host.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'https://chat.example.com' },
      body: '{"email":"nobody@example.com","password":"a wrong password"}'
    })
  const answers: number[] = []
  // She has signed up: that was the first attempt.
  for (let count = 0; count < 20; count++) answers.push((await signIn()).status)
  t.same(answers, [...Array(19).fill(401), 429], 'as many attempts to sign in as is said')
})

t.test('questions are limited by user, and only questions', async t => {
  const host = await openHost(t, { RATE_LIMIT_TURNS: '2' })
  const ada = await signUp(host.url, 'Ada')
  const bob = await signUp(host.url, 'Bob')
  t.equal(said(await post(host.url, bearer(ada.rawToken), { message: 'one' })), 'one')
  const long = post(host.url, bearer(ada.rawToken), { message: 'two '.repeat(3000) })
  toldToWait(t, await post(host.url, bearer(ada.rawToken)), /^Too many questions; try again in /)
  t.equal(said(await long), 'two '.repeat(3000), 'a stream that runs is not cut')
  t.equal((await post(host.url, { cookie: ada.cookie })).status, 429, 'with another credential of hers')
  t.equal((await post(host.url, bearer(ada.rawToken), { type: 'threads.list', params: {} })).status, 200)
  t.equal((await post(host.url, bearer(bob.rawToken))).status, 200, 'somebody else at the same address')
})

t.test('requests and attempts to sign in are limited by address', async t => {
  const host = await openHost(t, {
    RATE_LIMIT_REQUESTS: '6',
    RATE_LIMIT_SIGN_INS: '2',
    TRUST_PROXY: 'loopback',
    CORS_ORIGINS: 'https://app.example.com'
  })
  const from = (address: string) => ({ 'x-forwarded-for': address })
  const signIn = (address: string) =>
    fetch(`${host.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: host.url, ...from(address) },
      body: '{"email":"nobody@example.com","password":"a wrong password"}'
    }).then(reply => reply.status)
  t.same([await signIn('192.0.2.1'), await signIn('192.0.2.1'), await signIn('192.0.2.1')], [401, 401, 429])
  t.equal(await signIn('192.0.2.2'), 401, 'another address')

  const statuses: number[] = []
  for (let count = 0; count < 8; count++) statuses.push((await post(host.url, from('2001:db8::1'))).status)
  t.same(statuses, [...Array(6).fill(401), 429, 429])
  const told = await post(host.url, { ...from('2001:db8::2'), origin: 'https://app.example.com' })
  toldToWait(t, told, /^Too many requests from this address; try again in /)
  t.equal(told.headers.get('access-control-allow-origin'), 'https://app.example.com', 'a page may read it')
  t.equal((await post(host.url, from('2001:db8:0:1::1'))).status, 401, 'another network')
  t.equal((await fetch(`${host.url}/health/live`, { headers: from('2001:db8::1') })).status, 200)
  t.equal((await fetch(`${host.url}/health/ready`, { headers: from('2001:db8::1') })).status, 200)
})

t.test('however its address is written, an attempt to sign in is counted', async t => {
  const host = await openHost(t, { RATE_LIMIT_SIGN_INS: '1' })
  // Not `fetch`, which puts addresses right.
  const attempt = (path: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', origin: host.url }
      const sent = request(host.url, { method: 'POST', path, headers }, reply => resolve(reply.resume().statusCode))
      sent.on('error', reject).end('{"email":"nobody@example.com","password":"a wrong password"}')
    })
  t.equal(await attempt('/api/auth/sign-in/email'), 401)
  const spellings = [
    '/api/auth/sign-in/email',
    'http://elsewhere.example/api/auth/sign-in/email',
    'HTTPS://elsewhere.example/api/auth/sign-in/email?x=1',
    '/api/auth/./sign-in/email',
    '/api/auth/x/../sign-in/email',
    '/api/auth/x/%2E%2e/sign-in/email',
    '/api/auth/x\\..\\sign-in\\email'
  ]
  for (const path of spellings) t.equal(await attempt(path), 429, path)
  const others = [
    '/api/auth//sign-in/email',
    '/api/auth/sign%2Din/email',
    '/api/%61uth/sign-in/email',
    '/x/api/auth/sign-in/email'
  ]
  for (const path of others) t.equal(await attempt(path), 404, path)
})

t.test('with Redis, hosts count together; without it, each for itself', { skip: withoutRedis }, async t => {
  const redis = await startRedis(t)
  const settings = { RATE_LIMIT_TURNS: '2', REDIS_URL: redis.url, LOG_LEVEL: 'warn' }
  const one = await openHost(t, settings)
  const other = await openHost(t, { ...settings, DATABASE_URL: one.databaseUrl })
  const ada = bearer((await signUp(one.url)).rawToken)
  const ask = async (host: { url: string }) => (await post(host.url, ada)).status
  t.same([await ask(one), await ask(other), await ask(one), await ask(other)], [200, 200, 429, 429])

  const port = Number(new URL(redis.url).port)
  await redis.tell('CONFIG SET requirepass hunter2')
  for (const password of ['', ':wrong@'])
    await t.rejects(openHost(t, { ...settings, REDIS_URL: redis.url.replace('//', `//${password}`) }), {
      name: 'StartError',
      message: `Redis at 127.0.0.1:${port} does not let this host in: correct the user and the password of REDIS_URL.`
    })
  await redis.tell('CONFIG SET requirepass ""')

  await redis.stop()
  const third = await openHost(t, { ...settings, DATABASE_URL: one.databaseUrl })
  t.ok(
    third.log.some(line =>
      line.includes(`Redis at 127.0.0.1:${port} cannot be reached (ECONNREFUSED): check REDIS_URL`)
    ),
    'one that starts meanwhile says so'
  )
  await third.close()
  t.same([await ask(one), await ask(one), await ask(one)], [200, 200, 429], 'neither open nor shut')
  t.equal(await ask(other), 200)
  t.equal(one.log.filter(line => line.includes('Redis is away')).length, 1, 'said once')

  await redis.start()
  for (const host of [one, other]) {
    const begun = Date.now()
    const isBack = () => host.log.some(line => line.includes('Redis is back'))
    while (!isBack() && Date.now() - begun < 10_000) {
      await ask(host)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    t.ok(isBack())
  }
  await ask(one)
  t.equal(await ask(other), 429, 'together again')
})
