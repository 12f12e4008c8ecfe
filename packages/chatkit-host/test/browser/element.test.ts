import { readFile } from 'node:fs/promises'
import type { Route } from 'playwright-core'
import t from 'tap'
import { openBrowser, violations, visit, withoutChromium } from '../fixtures/browser.ts'
import { openHost } from '../fixtures/host.ts'
import { patient } from '../fixtures/patient.ts'
import { bearer, signUp } from '../fixtures/people.ts'

const CDN = 'https://cdn.platform.openai.com'
const SCRIPT = `${CDN}/deployments/chatkit/chatkit.js`

// OpenAI's element is closed, and not to be had without their network. This stands in for it: it keeps what it is told, opens a
// frame where theirs does, and shows that fetch was called. What theirs then does is not shown by these tests.
const standIn = await readFile(new URL('../fixtures/stand-in-element.js', import.meta.url), 'utf8')

const standInFor = (route: Route) =>
  route.request().url() === SCRIPT
    ? route.fulfill({ contentType: 'text/javascript', body: standIn })
    : route.fulfill({ contentType: 'text/html', body: '<title>Frame</title>' })

t.test('OpenAI’s element', async t => {
  const first = await openHost(t, { CHATKIT_DOMAIN_KEY: 'local-dev', ATTACHMENT_MB: '1', DATA_DIR: t.testdir({}) })
  const host = await openHost(
    t,
    {
      DATABASE_URL: first.databaseUrl,
      CHATKIT_DOMAIN_KEY: 'domain_pk_1',
      BETTER_AUTH_MOUNT: '0',
      BETTER_AUTH_URL: first.url
    },
    { respond: patient }
  )

  t.test('is not there without a domain key', async t => {
    const other = await openHost(t, { DATABASE_URL: first.databaseUrl, BETTER_AUTH_MOUNT: '0' })
    t.equal((await fetch(`${other.url}/element`)).status, 404)
  })

  t.test('has a policy that names whom it needs, and no one else', async t => {
    const reply = await fetch(`${first.url}/element`)
    const html = await reply.text()
    t.equal(reply.status, 200)
    t.equal(reply.headers.get('content-type'), 'text/html; charset=utf-8')
    t.same(reply.headers.get('content-security-policy')?.split('; '), [
      "default-src 'none'",
      `script-src 'self' ${CDN}/deployments/chatkit/`,
      `frame-src ${CDN}`,
      "style-src 'self'",
      "img-src 'self' data:",
      "connect-src 'self' https://api.openai.com",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'"
    ])
    t.equal(
      reply.headers.get('referrer-policy'),
      'strict-origin-when-cross-origin',
      'a domain key is good for an origin'
    )
    t.match(html, `&quot;domainKey&quot;:&quot;local-dev&quot;`)
    t.notMatch(html, /<style|\sstyle=|\son\w+=|<script(?![^>]* src="\/)/i, 'nothing inline')
    const policy = (await fetch(first.url, { headers: { accept: 'text/html' } })).headers.get('content-security-policy')
    t.notMatch(policy, /https:/, 'the page on / still calls nobody')
  })

  t.test('in a browser', { skip: withoutChromium }, async t => {
    const browser = await openBrowser(t)
    const ada = await visit(browser, [first.url, host.url, CDN, 'https://api.openai.com'])
    const { page } = ada
    const seen: Record<string, string | null> = {}
    await ada.context.route(`${CDN}/**`, standInFor)
    await ada.context.route('https://api.openai.com/**', async route => {
      seen.elsewhere = await route.request().headerValue('authorization')
      await route.fulfill({ headers: { 'access-control-allow-origin': '*' }, body: 'verified' })
    })
    page.on('request', request => {
      if (request.url().endsWith('/support/chatkit')) seen.host = request.headers().authorization ?? null
    })

    t.test('asks to sign in first', async t => {
      await page.goto(`${first.url}/element`)
      t.equal(await page.getByRole('link', { name: 'Sign in' }).getAttribute('href'), '/')
      t.equal(await page.locator('openai-chatkit').count(), 0, 'OpenAI is not called yet')
      t.same(await violations(page), [])
    })

    t.test('is told where to ask and what there is', async t => {
      const { cookie } = await signUp(first.url)
      const [name = '', value = ''] = cookie.split(/=(.*)/s)
      await ada.context.addCookies([{ name, value, url: first.url }])
      await page.reload()
      await page.getByText('The element is ready').waitFor()
      t.strictSame(JSON.parse((await page.locator('openai-chatkit').getAttribute('data-options')) ?? ''), {
        api: {
          url: `${first.url}/support/chatkit`,
          domainKey: 'local-dev',
          uploadStrategy: { type: 'two_phase' }
        },
        theme: 'light',
        history: { enabled: true },
        threadItemActions: { feedback: true, retry: true },
        composer: { attachments: { enabled: true, maxSize: 1024 ** 2, maxCount: 10 } }
      })
      await page.getByRole('button', { name: 'Ask', exact: true }).click()
      await page.getByText('"type":"thread.item.done"').waitFor()
      t.equal(seen.host, null, 'the cookie says who asks')
      t.strictSame(ada.trouble, [])
    })

    t.test('sends files to this host, by whichever name it is called', async t => {
      const named = first.url.replace('127.0.0.1', 'localhost')
      const carl = await visit(browser, [named, CDN])
      const { cookie } = await signUp(first.url, 'Carl')
      const [name = '', value = ''] = cookie.split(/=(.*)/s)
      await carl.context.addCookies([{ name, value, url: named }])
      await carl.context.route(`${CDN}/**`, standInFor)
      await carl.page.goto(`${named}/element`)
      await carl.page.getByRole('button', { name: 'Attach' }).click()
      await carl.page.getByText('attached: 204').waitFor()
      t.strictSame(carl.trouble, [])
      await carl.context.close()
    })

    t.test('a token goes to this host alone, and Stop still stops', async t => {
      const { rawToken } = await signUp(first.url, 'Bob')
      await page.goto(host.url)
      await page.getByLabel('Token').fill(rawToken)
      await page.getByRole('button', { name: 'Use token' }).click()
      await page.getByRole('button', { name: 'Sign out' }).waitFor()
      await page.goto(`${host.url}/element`)
      await page.getByText('The element is ready').waitFor()
      await page.getByRole('button', { name: 'Ask', exact: true }).click()
      await page.getByText('"type":"thread.item.done"').waitFor()
      t.equal(seen.host, bearer(rawToken).authorization)
      await page.getByRole('button', { name: 'Verify' }).click()
      await page.getByText('verified').waitFor()
      t.equal(seen.elsewhere, null, 'a token given to somebody else')
      await ada.expecting([/^failed: POST .*ERR_ABORTED/], async () => {
        await page.getByRole('button', { name: 'Ask and stop' }).click()
        await page.getByText('AbortError').waitFor()
      })
      t.strictSame(ada.trouble, [])
    })

    t.test('says so when it cannot be loaded', async t => {
      await ada.context.route(SCRIPT, route => route.abort('blockedbyclient'))
      await ada.expecting([/^failed: GET .*chatkit\.js/, /^console: .*ERR_BLOCKED_BY_CLIENT/], async () => {
        await page.reload()
        await page.getByRole('alert').getByText(`OpenAI’s element cannot be loaded from ${SCRIPT}.`).waitFor()
      })
      t.strictSame(ada.trouble, [])
    })
  })
})
