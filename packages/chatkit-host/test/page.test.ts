import { chatkitClient } from 'fastify-chatkit/client'
import t from 'tap'
import { openHost } from './fixtures/host.ts'
import { bearer, signUp } from './fixtures/people.ts'

const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

t.test('the page', async t => {
  const host = await openHost(t, { DATA_DIR: t.testdir({}), ATTACHMENT_MB: '1', LOG_LEVEL: 'trace' })
  const get = (path: string, headers: Record<string, string> = {}) => fetch(`${host.url}${path}`, { headers })
  const document = await get('/', asBrowser)
  const html = await document.text()

  t.test('is what a browser gets, and others get JSON', async t => {
    t.equal(document.status, 200)
    t.equal(document.headers.get('content-type'), 'text/html; charset=utf-8')
    t.match(html, /^<!doctype html>/)
    t.equal(document.headers.get('vary'), 'Accept')
    for (const accept of ['*/*', 'application/json']) {
      const reply = await get('/', { accept })
      t.match(await reply.json(), { name: 'chatkit-host', chat: 'POST /support/chatkit', signIn: '/api/auth' })
    }
    t.equal(
      (await get('/', { ...asBrowser, cookie: 'better-auth.session_token=stale.c2ln' })).status,
      200,
      'a cookie that is stale as well'
    )
  })

  t.test('may run its own scripts and nothing else', async t => {
    const policy = document.headers.get('content-security-policy') ?? ''
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'"
    ])
      t.ok(policy.split('; ').includes(rule), rule)
    t.notMatch(policy, /unsafe|https?:|\*/)
    t.equal(document.headers.get('x-content-type-options'), 'nosniff')
    t.equal(document.headers.get('referrer-policy'), 'no-referrer')
    t.notMatch(html, /\{\{/)
    t.notMatch(html, /<style|\sstyle=|\son\w+=|<script(?![^>]* src=)/i, 'nothing inline')
    t.same([...html.matchAll(/(?:src|href)="(?!\/page\/|#)([^"]*)"/g)], [], 'nothing from elsewhere')
  })

  t.test('tells its script what it must know, and no more', async t => {
    const content = /name="chatkit-host" content="([^"]*)"/.exec(html)?.[1]?.replaceAll('&quot;', '"') ?? ''
    t.strictSame(JSON.parse(content), {
      chat: '/support/chatkit',
      signIn: '/api/auth',
      signInElsewhere: null,
      attachments: {
        path: '/support/chatkit/attachments',
        maxBytes: 1024 ** 2,
        maxCount: 10,
        accept: ['image/*', 'text/*', 'application/pdf', 'application/json']
      }
    })
  })

  t.test('loads every module it names, once and for all', async t => {
    const waiting = [...html.matchAll(/(?:src|href)="(\/page\/[^"]*)"/g)].map(match => match[1] ?? '')
    const types: Record<string, string> = {
      js: 'text/javascript; charset=utf-8',
      css: 'text/css; charset=utf-8',
      svg: 'image/svg+xml'
    }
    const seen = new Set<string>()
    for (const path of waiting) {
      if (seen.has(path)) continue
      seen.add(path)
      const reply = await get(path)
      const text = await reply.text()
      t.equal(reply.status, 200, path)
      t.equal(reply.headers.get('content-type'), types[path.split('.').at(-1) ?? ''], path)
      t.equal(reply.headers.get('x-content-type-options'), 'nosniff')
      t.equal(reply.headers.get('cache-control'), 'public, max-age=31536000, immutable')
      if (!path.endsWith('.js')) continue
      for (const [, from = ''] of text.matchAll(/^(?:import|export)[^'"]*?from ['"]([^'"]+)['"]/gm)) {
        t.match(from, /^\.{1,2}\/.*\.js$/, `${path} imports ${from}`)
        waiting.push(new URL(from, `${host.url}${path}`).pathname)
      }
      t.notMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, path)
    }
    t.same(
      [...seen].filter(path => path.endsWith('.js')).filter(path => !html.includes(`modulepreload" href="${path}"`)),
      [],
      'all of them are named at once'
    )
    for (const name of ['main.js', 'client/index.js', 'client/transport.js', 'vendor/marked.js', 'page.css'])
      t.ok(
        [...seen].some(path => path.endsWith(`/${name}`)),
        name
      )
    const [script = ''] = waiting.filter(path => path.endsWith('/main.js'))
    t.equal((await get(script.replace('main.js', 'index.html'))).status, 404)
    t.equal((await get(script.replace('main.js', '..%2f..%2fpackage.json'))).status, 404)
    t.equal((await get(script.replace(/\/page\/[^/]+/, '/page/another-version'))).status, 404)
  })

  t.test('is sent again only when it has changed', async t => {
    const etag = document.headers.get('etag') ?? ''
    t.equal(document.headers.get('cache-control'), 'no-cache')
    const again = await get('/', { ...asBrowser, 'if-none-match': `"other", W/${etag}` })
    t.equal(again.status, 304)
    t.equal(await again.text(), '')
    t.equal((await get('/', { ...asBrowser, 'if-none-match': '"other"' })).status, 200)
    t.equal((await fetch(host.url, { method: 'HEAD', headers: asBrowser })).status, 200)
  })

  t.test('files are kept in DATA_DIR, each for whoever sent it', async t => {
    const ada = await signUp(host.url, 'Ada')
    const bob = await signUp(host.url, 'Bob')
    const clientOf = (token: string) =>
      chatkitClient({ url: `${host.url}/support/chatkit`, getHeaders: () => bearer(token), retry: { retries: 0 } })
    const [mine, other] = [clientOf(ada.rawToken), clientOf(bob.rawToken)]
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64'
    )
    const attachment = await mine.attach(new File([png], 'dot.png', { type: 'image/png' }))
    const look = { content: [{ type: 'input_text' as const, text: 'Look' }], attachments: [attachment.id] }
    const reading = async (client: typeof mine) => {
      for await (const event of client.createThread(look))
        if (event.type === 'thread.item.done' && event.item.type === 'user_message') return event.item.attachments
      return []
    }
    await t.rejects(reading(other), { status: 404, code: 'FST_CHATKIT_ATTACHMENT_NOT_FOUND' })
    const [shown] = await reading(mine)
    const preview = shown?.type === 'image' ? shown.preview_url : ''
    t.ok(preview.startsWith(`${host.url}/support/chatkit/attachments/file?token=`))
    const picture = await fetch(preview)
    t.same(Buffer.from(await picture.arrayBuffer()), png)
    t.match(picture.headers.get('content-security-policy'), /sandbox/)
    t.ok(
      host.log.some(line => line.includes('/support/chatkit/attachments/file')),
      'it was logged'
    )
    t.notOk(
      host.log.some(line => line.includes(new URL(preview).search.slice(7, 40))),
      'without the key to the file'
    )
    t.equal((await fetch(preview.replace(/.{9}$/, 'forgeddd'))).status, 403)
    await t.rejects(mine.createAttachment({ name: 'a.bin', size: 2 * 1024 ** 2, mimeType: 'text/plain' }), {
      status: 413,
      code: 'FST_CHATKIT_ATTACHMENT_TOO_LARGE'
    })
    await t.rejects(mine.createAttachment({ name: 'a.exe', size: 9, mimeType: 'application/x-msdownload' }), {
      status: 415,
      code: 'FST_CHATKIT_ATTACHMENT_REFUSED'
    })
  })

  t.test('of a host that signs nobody in says where to sign in, and takes no files', async t => {
    const other = await openHost(t, {
      DATABASE_URL: host.databaseUrl,
      BETTER_AUTH_MOUNT: '0',
      BETTER_AUTH_URL: 'https://app.example.com/a&b"c',
      CORS_ORIGINS: 'https://app.example.com'
    })
    const reply = await fetch(other.url, { headers: { ...asBrowser, origin: 'https://app.example.com' } })
    t.match(reply.headers.get('vary'), /Origin, Accept/i, 'and it depends on who asks')
    const html = await reply.text()
    t.match(html, '&quot;signIn&quot;:null')
    t.match(html, '&quot;signInElsewhere&quot;:&quot;https://app.example.com/')
    t.match(html, '&quot;attachments&quot;:null')
  })
})
