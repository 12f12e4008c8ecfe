import t from 'tap'
import { openBrowser, violations, visit, withoutChromium } from '../fixtures/browser.ts'
import { listThreads, post } from '../fixtures/chat.ts'
import { openHost } from '../fixtures/host.ts'
import { bearer, hs256, signUp } from '../fixtures/people.ts'

/** The part of an answer that is looked at one by one. */
interface Status {
  session: string
  decisions: { userId: string }[]
  sessions: object[]
}

t.test('the page for developers', async t => {
  const host = await openHost(t)
  const ada = await signUp(host.url)
  const bob = await signUp(host.url, 'Bob')
  const get = (path: string, headers: Record<string, string> = {}) => fetch(`${host.url}${path}`, { headers })
  const status = async (headers: Record<string, string>) => {
    const reply = await get('/dev/status', headers)
    return { text: await reply.clone().text(), json: (await reply.json()) as Status }
  }
  const end = (id: string, headers: Record<string, string>) =>
    fetch(`${host.url}/dev/sessions/${id}/end`, { method: 'POST', headers, body: '{}' })
  const json = { 'content-type': 'application/json' }

  t.test('is not there in production', async t => {
    const production = await openHost(t, {
      DATABASE_URL: host.databaseUrl,
      NODE_ENV: 'production',
      BETTER_AUTH_URL: 'https://chat.example.com'
    })
    for (const path of ['/dev', '/dev/status', '/dev/nobody'])
      t.equal((await fetch(`${production.url}${path}`, { headers: bearer(ada.rawToken) })).status, 404, path)
    t.equal(
      (await fetch(`${production.url}/dev/sessions/x/end`, { method: 'POST', headers: bearer(ada.rawToken) })).status,
      404
    )
  })

  t.test('tells callers of their own requests and sessions, and never a token', async t => {
    t.equal((await get('/dev/status')).status, 401)
    await listThreads(host.url, bearer(bob.rawToken))
    await post(host.url, bearer(await hs256({ sub: ada.id }, { expires: '-1h' })))
    const { text, json } = await status(bearer(ada.rawToken))
    t.match(json, {
      user: { id: ada.id, name: 'Ada', email: 'ada@example.com' },
      session: String,
      endsSessions: true,
      decisions: [{ outcome: 'authenticated', kind: 'bearer-session', stage: 'done', userId: ada.id, at: /^2/ }],
      sessions: [{ id: json.session, createdAt: /^2/, expiresAt: /^2/ }]
    })
    for (const decision of json.decisions) t.equal(decision.userId, ada.id)
    t.equal(json.sessions.length, 1)
    for (const { rawToken, signedToken } of [ada, bob]) {
      t.notMatch(text, rawToken)
      t.notMatch(text, signedToken)
    }
    const nobody = await get('/dev/nobody')
    t.equal(nobody.headers.get('cache-control'), 'no-store')
    t.match(await nobody.json(), { decisions: [{ outcome: 'rejected', code: 'FST_BAU_TOKEN_EXPIRED', userId: null }] })
  })

  t.test('tells of strangers on this machine alone', async t => {
    const elsewhere = await host.app.inject({ url: '/dev/nobody', remoteAddress: '192.0.2.7' })
    t.equal(elsewhere.statusCode, 403)
    const rebound = await host.app.inject({ url: '/dev/nobody', headers: { host: 'evil.example' } })
    t.equal(rebound.statusCode, 403, 'a page whose name leads here')
  })

  t.test('ends a session of the caller, and of nobody else, for its own page alone', async t => {
    const id = (await status(bearer(ada.rawToken))).json.session
    t.equal((await end(id, { ...bearer(bob.rawToken), ...json })).status, 404)
    const asPage = { cookie: ada.cookie, ...json }
    t.equal((await end(id, { ...asPage, origin: 'https://evil.example' })).status, 403, 'a cookie from elsewhere')
    t.equal((await end(id, { ...bearer(ada.rawToken), ...json, origin: 'https://evil.example' })).status, 403)
    t.equal((await end(id, { ...bearer(ada.rawToken), 'sec-fetch-site': 'same-site', ...json })).status, 403)
    t.equal((await end(id, { ...bearer(ada.rawToken), 'content-type': 'text/plain' })).status, 415)
    t.equal((await end(id, { ...bearer(await hs256({ sub: ada.id })), ...json })).status, 409, 'no session of its own')
    t.equal((await get('/dev/status', bearer(ada.rawToken))).status, 200, 'it lives')
    const reply = await end(id, { ...asPage, origin: host.url, 'sec-fetch-site': 'same-origin' })
    t.same(await reply.json(), {
      ended: id,
      next: { status: 401, code: 'FST_BAU_CREDENTIAL_INVALID', message: 'Invalid or expired JWT token' }
    })
    t.equal((await get('/dev/status', bearer(ada.rawToken))).status, 401)
  })

  t.test('says where sessions are ended when it is no sign-in', async t => {
    const other = await openHost(t, {
      DATABASE_URL: host.databaseUrl,
      BETTER_AUTH_MOUNT: '0',
      BETTER_AUTH_URL: 'https://app.example.com'
    })
    const reply = await fetch(`${other.url}/dev/status`, { headers: bearer(bob.rawToken) })
    const { session } = (await reply.clone().json()) as { session: string }
    t.match(await reply.json(), { endsSessions: false, signInElsewhere: 'https://app.example.com' })
    const refused = await fetch(`${other.url}/dev/sessions/${session}/end`, {
      method: 'POST',
      headers: { ...bearer(bob.rawToken), ...json },
      body: '{}'
    })
    t.equal(refused.status, 409)
  })

  t.test('in a browser', { skip: withoutChromium }, async t => {
    const browser = await openBrowser(t)
    const visitor = await visit(browser, [host.url])
    const { page } = visitor
    const sessions = page.getByRole('region', { name: 'Your live sessions' })
    const requests = page.getByRole('region', { name: 'Your last requests' })
    await visitor.expecting([/^refused: 401 .*dev\/status/, /^console: .*401/], async () => {
      await page.goto(`${host.url}/dev`)
      await page.getByRole('status').getByText('401 Authentication required').waitFor()
    })
    const here = await signUp(host.url, 'Cara')
    const [name = '', value = ''] = here.cookie.split(/=(.*)/s)
    await visitor.context.addCookies([{ name, value, url: host.url }])
    const elsewhere = await fetch(`${host.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { ...json, origin: host.url },
      body: JSON.stringify({ email: here.email, password: 'correct horse battery staple' })
    })
    const { token } = (await elsewhere.json()) as { token: string }
    await listThreads(host.url, bearer(token))

    await page.getByRole('button', { name: 'Refresh' }).click()
    await page.getByRole('status').getByText('cara@example.com').waitFor()
    t.equal(await sessions.getByRole('button', { name: /^Revoke session/ }).count(), 2)
    t.match(
      await requests.getByRole('row').nth(1).textContent(),
      /session-cookie.*extractverifyfindstandingdone.*authenticated/
    )
    t.match(await requests.getByRole('row').nth(2).textContent(), /bearer-session/)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      t.same(await violations(page), [], colorScheme)
    }

    const other = sessions.getByRole('row').filter({ hasNotText: 'this one' })
    await other.getByRole('button').click()
    await page
      .getByRole('alert')
      .getByText('Ended. Its next request was refused: 401 Invalid or expired JWT token (FST_BAU_CREDENTIAL_INVALID)')
      .waitFor()
    await other.getByRole('button').waitFor({ state: 'detached' })
    t.match(
      await page.getByRole('region', { name: 'Requests of nobody known' }).getByRole('row').nth(1).textContent(),
      /bearer-session.*rejected/
    )
    await page.setViewportSize({ width: 390, height: 844 })
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), 390)
    t.same(await violations(page), [], 'phone')

    await visitor.expecting([/^refused: 401 .*dev\/status/, /^console: .*401/], async () => {
      await sessions.getByRole('button', { name: /^Revoke session/ }).click()
      await page.getByRole('status').getByText('401 Invalid or expired JWT token').waitFor()
    })
    t.strictSame(visitor.trouble, [])
  })
})
