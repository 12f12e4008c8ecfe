import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { localAttachmentStore } from 'fastify-chatkit/attachments'
import t from 'tap'
import { attachmentApp, png, put, secret } from '../fixtures/attachment-app.ts'
import { create } from '../fixtures/build-app.ts'

const kept = async (response: Response) => Buffer.from(await response.arrayBuffer())
const code = async (response: Response) => ({ status: response.status, ...((await response.json()) as object) })

t.test('announced, uploaded, used in a message and shown', async t => {
  const { announce, json, files } = await attachmentApp(t)
  const image = await announce('a.png', 'image/png', png.length)
  t.match(image, { type: 'image', upload_descriptor: { method: 'PUT', headers: { 'content-type': 'image/png' } } })
  t.equal((await put(image, png)).status, 204)
  t.equal((await files()).length, 1)
  const { body: events } = await json(create('see', { attachments: [image.id] }))
  const [, { item }] = events
  const { preview_url } = item.attachments[0]
  const response = await fetch(preview_url)
  t.strictSame(await kept(response), png)
  t.match(Object.fromEntries(response.headers), {
    'content-type': 'image/png',
    'content-length': String(png.length),
    'content-disposition': 'attachment; filename="a.png"; filename*=UTF-8\'\'a.png',
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'cross-origin',
    'cache-control': /^private, max-age=\d+, immutable$/
  })
  const head = await fetch(preview_url, { method: 'HEAD' })
  t.equal(head.headers.get('content-length'), String(png.length))
})

t.test('a message that comes before its bytes is refused', async t => {
  const { announce, json } = await attachmentApp(t)
  const file = await announce('a.txt', 'text/plain', 5)
  const answer = await json(create('see', { attachments: [file.id] }))
  t.match(answer, { status: 409, body: { code: 'FST_CHATKIT_ATTACHMENT_NOT_UPLOADED' } })
  await put(file, 'hello')
  t.equal((await json(create('see', { attachments: [file.id] }))).status, 200)
})

t.test('a file comes back as it went, however large and whatever its name', async t => {
  const { announce, store, files } = await attachmentApp(t)
  const name = '../../etc/“pass"wd\r\n☃.bin'
  for (const size of [0, 1, 1023, 1024, 1025, 5_000_000]) {
    const bytes = randomBytes(size)
    const file = await announce(name, '', size)
    t.equal((await put(file, bytes)).status, 204)
    const response = await fetch(store.downloadUrl(file, 'ada'))
    t.strictSame(await kept(response), bytes)
    t.equal(response.headers.get('content-type'), 'application/octet-stream')
    const disposition = response.headers.get('content-disposition') ?? ''
    t.equal(decodeURIComponent(disposition.split("UTF-8''")[1] ?? ''), '.._.._etc_“pass"wd__☃.bin')
    const { size: length, stream } = await store.read(file, 'ada')
    t.equal(length, size)
    t.strictSame(Buffer.concat(await stream.toArray()), bytes)
  }
  for (const path of await files()) t.match(path, /ada\/atc_[0-9a-f]{24}$/)
})

t.test('an upload that is not what was announced leaves nothing', async t => {
  const { announce, files } = await attachmentApp(t)
  const chunked = (bytes: Buffer) => ({
    body: new Blob([bytes]).stream(),
    duplex: 'half' as const
  })
  const cases = [
    { why: 'longer', size: 5, type: 'text/plain', bytes: 'hello!', status: 413 },
    { why: 'shorter', size: 7, type: 'text/plain', bytes: 'hello!', status: 400 },
    { why: 'longer, and does not say', size: 5, type: 'text/plain', more: chunked(Buffer.from('hello!')), status: 413 },
    {
      why: 'shorter, and does not say',
      size: 7,
      type: 'text/plain',
      more: chunked(Buffer.from('hello!')),
      status: 400
    },
    { why: 'no image', size: 6, type: 'image/png', bytes: 'hello!', status: 415 },
    { why: 'another image', size: png.length, type: 'image/jpeg', bytes: png, status: 415 },
    { why: 'an image said to be text', size: png.length, type: 'text/html', bytes: png, status: 415 },
    { why: 'a page said to be a PDF', size: 6, type: 'application/pdf', bytes: '<html>', status: 415 },
    { why: 'nothing said to be an image', size: 0, type: 'image/gif', bytes: '', status: 415 }
  ]
  for (const { why, size, type, bytes = '', more, status } of cases) {
    const file = await announce('a', type, size)
    const { url, headers } = file.upload_descriptor
    const response = await fetch(url, { method: 'PUT', headers, body: bytes, ...more })
    t.equal(response.status, status, why)
    t.match(await response.json(), { code: /^FST_CHATKIT_/ })
    t.strictSame(await files(), [], why)
  }
})

t.test('bytes are uploaded once', async t => {
  const { announce, json, store } = await attachmentApp(t)
  const file = await announce('a.txt', 'text/plain', 5)
  const answers = await Promise.all(['hello', 'world', 'again'].map(bytes => put(file, bytes)))
  t.strictSame(answers.map(({ status }) => status).toSorted(), [204, 409, 409])
  const first = await kept(await fetch(store.downloadUrl(file, 'ada')))
  await json(create('see', { attachments: [file.id] }))
  t.match(await code(await put(file, 'other')), { status: 409, code: 'FST_CHATKIT_ATTACHMENT_UPLOADED' })
  t.strictSame(await kept(await fetch(store.downloadUrl(file, 'ada'))), first)
})

t.test('an upload that is cut off leaves nothing', async t => {
  const { announce, files, address } = await attachmentApp(t)
  const file = await announce('a.bin', '', 1_000_000)
  const url = new URL(file.upload_descriptor.url)
  const request = httpRequest(url, { method: 'PUT', headers: { 'content-length': 1_000_000 } })
  request.on('error', () => undefined)
  request.write(randomBytes(200_000))
  await until(async () => (await files()).length === 1)
  request.destroy()
  await until(async () => (await files()).length === 0)
  // A form as well, whose boundary never comes.
  const socket = connect(Number(new URL(address).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(
    'POST /files HTTP/1.1\r\nhost: x\r\nx-user: ada\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 9000000\r\n\r\n' +
      '--b\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\ncontent-type: application/octet-stream\r\n\r\n'
  )
  socket.write(randomBytes(300_000))
  await until(async () => (await files()).length === 1)
  socket.destroy()
  await until(async () => (await files()).length === 0)
  t.equal((await put(await announce('a.txt', 'text/plain', 5), 'hello')).status, 204, 'and the server goes on')
})

t.test('an upload that takes too long is ended', async t => {
  const { announce, files } = await attachmentApp(t, { routes: { uploadTimeoutMs: 200 } })
  const file = await announce('a.bin', '', 1_000_000)
  const status = await new Promise((resolve, reject) => {
    const headers = { 'content-length': 1_000_000 }
    const request = httpRequest(file.upload_descriptor.url, { method: 'PUT', headers }, response => {
      t.equal(response.headers.connection, 'close')
      response.resume()
      resolve(response.statusCode)
    })
    request.on('error', reject)
    request.write(randomBytes(1000))
  })
  t.equal(status, 408)
  t.strictSame(await files(), [])
})

t.test('addresses are good for one thing, one attachment and some time', async t => {
  let time = Date.now()
  const { announce, store, address, json } = await attachmentApp(t, { store: { now: () => new Date(time) } })
  const file = await announce('a.txt', 'text/plain', 5)
  const { url } = file.upload_descriptor
  const token = new URL(url).searchParams.get('token') ?? ''
  const put = (token: string) => fetch(`${address}/files/upload?token=${token}`, { method: 'PUT', body: 'hello' })
  const get = (token: string) => fetch(`${address}/files/file?token=${token}`)
  const [text = '', signature = ''] = token.split('.')
  const other = Buffer.from(text, 'base64url').toString().replace('"ada"', '"bob"')
  const forged = [
    '',
    'x',
    '..',
    text,
    `${text}.`,
    `.${signature}`,
    `${token}.x`,
    `${Buffer.from(other).toString('base64url')}.${signature}`,
    `${text}.${signature.slice(0, -1)}`,
    `${text}x.${signature}`
  ]
  const invalid = { status: 403, code: 'FST_CHATKIT_ADDRESS_INVALID' }
  for (const one of forged) t.match(await code(await put(one)), invalid, `"${one.slice(-20)}"`)
  t.match(await code(await fetch(`${address}/files/upload`, { method: 'PUT' })), invalid)
  t.match(await code(await fetch(`${address}/files/upload?token=a&token=b`, { method: 'PUT' })), invalid)
  t.match(await code(await get(token)), invalid, 'who may upload may not read by the same address')
  const readToken = new URL(store.downloadUrl(file, 'ada')).searchParams.get('token') ?? ''
  t.match(await code(await put(readToken)), invalid)
  const elsewhere = localAttachmentStore({ directory: '/nowhere', url: address, secret: secret.toUpperCase() })
  const strange = new URL(elsewhere.downloadUrl(file, 'ada')).searchParams.get('token') ?? ''
  t.match(await code(await get(strange)), invalid)

  t.equal((await put(token)).status, 204)
  t.equal((await get(readToken)).status, 200)
  time += 15 * 60 * 1000 + 1000
  t.match(await code(await put(token)), { status: 410, code: 'FST_CHATKIT_ADDRESS_EXPIRED' })
  t.equal((await get(readToken)).status, 200)
  t.equal(store.downloadUrl(file, 'ada').length > 0, true)
  time += 2 * 60 * 60 * 1000
  t.match(await code(await get(readToken)), { status: 410, code: 'FST_CHATKIT_ADDRESS_EXPIRED' })
  await json({ type: 'attachments.delete', params: { attachment_id: file.id } })
  const late = new URL(store.downloadUrl(file, 'ada')).searchParams.get('token') ?? ''
  t.match(await code(await get(late)), { status: 404, code: 'FST_CHATKIT_ATTACHMENT_NOT_FOUND' })
})

t.test('an address to upload to ends with its attachment', async t => {
  const { announce, json, files } = await attachmentApp(t)
  const file = await announce('a.txt', 'text/plain', 5)
  await json({ type: 'attachments.delete', params: { attachment_id: file.id } })
  t.match(await code(await put(file, 'hello')), { status: 404, code: 'FST_CHATKIT_ATTACHMENT_NOT_FOUND' })
  t.strictSame(await files(), [])
})

t.test('within an hour an image keeps its address, so that browsers keep the image', async t => {
  let time = Date.UTC(2026, 0, 1)
  const store = localAttachmentStore({ directory: 'x', url: 'https://a.example/f/', secret, now: () => new Date(time) })
  const image = { id: 'atc_1', name: 'a.png', mime_type: 'image/png', type: 'image' as const, preview_url: 'x:y' }
  const first = store.downloadUrl(image, 'ada')
  t.match(first, 'https://a.example/f/file?token=')
  time += 59 * 60 * 1000
  t.equal(store.downloadUrl(image, 'ada'), first)
  time += 60 * 1000
  t.not(store.downloadUrl(image, 'ada'), first)
})

t.test('a secret can be changed without breaking what was given out', async t => {
  const options = { directory: 'x', url: 'https://a.example' }
  const older = 'the secret from before, 32 characters'
  const token = (store: ReturnType<typeof localAttachmentStore>) =>
    new URL(store.downloadUrl({ id: 'a', name: 'a', mime_type: 'b/c', type: 'file' }, 'ada')).searchParams.get('token')
  const before = token(localAttachmentStore({ ...options, secret: older })) ?? ''
  const after = localAttachmentStore({ ...options, secret: [secret, older] })
  t.match(after.door.open('read', before), { owner: 'ada', id: 'a' })
  t.throws(() => localAttachmentStore({ ...options, secret: older }).door.open('read', token(after) ?? ''))
})

t.test('what is not wanted is refused when it is announced', async t => {
  const { json, send, files } = await attachmentApp(t, { store: { accept: ['image/*', 'text/plain'], maxBytes: 100 } })
  const announce = (name: string, mime_type: string, size = 10) =>
    json({ type: 'attachments.create', params: { name, mime_type, size } })
  t.equal((await announce('a', 'image/x-any')).status, 200)
  t.equal((await announce('a', 'TEXT/plain; charset=utf-8')).status, 200)
  for (const type of ['text/html', 'application/pdf', '', 'image', 'image/', 'a/b\r\nc: d', 'text/plain\0'])
    t.match(await announce('a', type), { status: 415, body: { code: 'FST_CHATKIT_ATTACHMENT_REFUSED' } }, type)
  t.equal((await announce('', 'text/plain')).status, 415)
  t.equal((await announce('a'.repeat(256), 'text/plain')).status, 415)
  t.match(await announce('a', 'text/plain', 101), { status: 413, body: { code: 'FST_CHATKIT_ATTACHMENT_TOO_LARGE' } })
  t.equal((await send(new Blob(['<p>'], { type: 'text/html' }), 'a.html')).status, 415)
  t.equal((await send(new Blob(['x'.repeat(101)], { type: 'text/plain' }), 'a.txt')).status, 413)
  t.strictSame(await files(), [])
})

t.test('directly: a form with a file gives an attachment, ready to use', async t => {
  const { send, json, store, files } = await attachmentApp(t)
  const response = await send(new Blob([png], { type: 'image/png' }), '../☃ "x".png')
  t.equal(response.status, 200)
  const image = (await response.json()) as { id: string; preview_url: string }
  t.strictSame(image, {
    id: image.id,
    name: '☃ "x".png',
    mime_type: 'image/png',
    type: 'image',
    preview_url: image.preview_url
  })
  t.strictSame(await kept(await fetch(image.preview_url)), png)
  const { body: events } = await json(create('see', { attachments: [image.id] }))
  t.match(events[1], { item: { attachments: [{ id: image.id, type: 'image' }] } })
  const text = (await (await send(new Blob(['hello'], { type: 'text/plain' }), 'a.txt')).json()) as { id: string }
  t.match(text, { type: 'file', name: 'a.txt' })
  t.equal((await store.read(text, 'ada')).size, 5)
  t.equal((await files()).length, 2)
})

t.test('directly: what is no such form is refused', async t => {
  const { address, send, files } = await attachmentApp(t)
  const post = (body: string, type: string) =>
    fetch(`${address}/files`, { method: 'POST', headers: { 'x-user': 'ada', 'content-type': type }, body })
  const invalid = { status: 400, code: 'FST_CHATKIT_UPLOAD_INVALID' }
  t.match(await code(await post('{}', 'application/json')), invalid)
  t.match(await code(await post('x', 'multipart/form-data')), invalid)
  t.match(await code(await post('x', 'multipart/form-data; boundary=b')), invalid)
  t.match(await code(await post('--b--\r\n', 'multipart/form-data; boundary=b')), invalid)
  const part = '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhello'
  t.match(await code(await post(part, 'multipart/form-data; boundary=b')), invalid, 'no end')
  t.match(await code(await send(new Blob(['x']), 'a', { field: 'other' })), invalid)
  t.match(await code(await send(new Blob(['x']), 'a', { as: '' })), { status: 500, code: 'FST_CHATKIT_OWNER_MISSING' })
  t.strictSame(await files(), [])
})

t.test('directly: a form that takes too long is ended, wherever it stops', { timeout: 20_000 }, async t => {
  const { address, files } = await attachmentApp(t, { routes: { uploadTimeoutMs: 200 } })
  const head = '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
  for (const sent of ['', head.slice(0, 20), `${head}hello`]) {
    const status = await new Promise((resolve, reject) => {
      const headers = { 'x-user': 'ada', 'content-type': 'multipart/form-data; boundary=b', 'content-length': 1000 }
      const request = httpRequest(`${address}/files`, { method: 'POST', headers }, response => {
        response.resume()
        resolve(response.statusCode)
      })
      request.on('error', reject)
      request.flushHeaders()
      request.write(sent)
    })
    t.equal(status, 408, JSON.stringify(sent))
  }
  t.strictSame(await files(), [])
})

t.test('directly: a record that cannot be kept takes its bytes with it', async t => {
  const { send, files, threadStore, app } = await attachmentApp(t, {
    prepare: app => app.addHook('onRequest', async () => undefined)
  })
  t.ok(app)
  const forOwner = threadStore.forOwner.bind(threadStore)
  threadStore.forOwner = owner => ({
    ...forOwner(owner),
    saveAttachment: () => Promise.reject(new Error('connect ECONNREFUSED'))
  })
  const answer = await code(await send(new Blob(['hello'], { type: 'text/plain' }), 'a.txt'))
  t.match(answer, { status: 503, code: 'FST_CHATKIT_STORE_UNAVAILABLE' })
  t.strictSame(await files(), [])
})

t.test('directly: only with the option, behind its guard', async t => {
  const none = await attachmentApp(t, { routes: { direct: undefined } })
  t.equal((await none.send(new Blob(['x']), 'a')).status, 404)
  const guarded = await attachmentApp(t, {
    routes: {
      direct: {
        owner: request => String(request.headers['x-user']),
        onRequest: async (_request, reply) => reply.code(401).send({ message: 'Sign in' })
      }
    }
  })
  t.equal((await guarded.send(new Blob(['x']), 'a')).status, 401)
})

t.test("another owner's attachment is as good as none", async t => {
  const { announce, json, files } = await attachmentApp(t)
  const mine = await announce('a.txt', 'text/plain', 5)
  await put(mine, 'hello')
  for (const id of [mine.id, 'atc_none']) {
    const answer = await json(create('see', { attachments: [id] }), 'bob')
    t.match(answer, { status: 404, body: { code: 'FST_CHATKIT_ATTACHMENT_NOT_FOUND' } })
    t.strictSame(await json({ type: 'attachments.delete', params: { attachment_id: id } }, 'bob'), {
      status: 200,
      body: {}
    })
  }
  t.equal((await files()).length, 1)
  t.equal((await json(create('see', { attachments: [mine.id] }))).status, 200)
  await json({ type: 'attachments.delete', params: { attachment_id: mine.id } })
  t.strictSame(await files(), [])
})

t.test('there is no list of files, and no way around an address', async t => {
  const { announce, address, directory } = await attachmentApp(t)
  const file = await announce('a.txt', 'text/plain', 5)
  await put(file, 'hello')
  const raw = (path: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const { port } = new URL(address)
      httpRequest({ port, host: '127.0.0.1', path }, response => resolve(response.resume().statusCode))
        .on('error', reject)
        .end()
    })
  for (const path of ['/files', '/files/', `/files/ada/${file.id}`, `/files/../${directory}`, '/files/%2e%2e/etc'])
    t.equal(await raw(path), 404, path)
})

t.test('addresses are not in the log', async t => {
  const { announce, store, logged } = await attachmentApp(t)
  const file = await announce('secret-name.txt', 'text/plain', 5)
  await put(file, 'hello')
  await fetch(store.downloadUrl(file, 'ada'))
  await put(file, 'hello')
  t.match(logged.join(''), '"url":"/files/upload"')
  t.match(logged.join(''), '"url":"/files/file"')
  t.notMatch(logged.join(''), 'token')
})

t.test('the parsers of the application stay its own', async t => {
  const { app, address, announce } = await attachmentApp(t, {
    prepare(app) {
      // What @fastify/multipart would have taken.
      app.addContentTypeParser('multipart/form-data', (_request, payload, done) => {
        payload.resume()
        done(null, 'theirs')
      })
      app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body))
      app.post('/theirs', async request => ({ body: request.body }))
    }
  })
  t.ok(app)
  t.equal((await put(await announce('a.txt', 'text/plain', 5), 'hello')).status, 204)
  const headers = { 'content-type': 'text/plain' }
  const answer = await fetch(`${address}/theirs`, { method: 'POST', headers, body: 'x' })
  t.strictSame(await answer.json(), { body: 'x' })
})

t.test('a disk that fails is an outage', async t => {
  const { announce, directory, json, store } = await attachmentApp(t)
  await writeFile(join(directory, '.incoming'), 'in the way')
  const file = await announce('a.txt', 'text/plain', 5)
  t.match(await code(await put(file, 'hello')), { status: 503, code: 'FST_CHATKIT_ATTACHMENTS_UNAVAILABLE' })
  await mkdir(join(directory, 'ada', file.id), { recursive: true })
  t.equal((await fetch(store.downloadUrl(file, 'ada'))).status, 503)
  await writeFile(join(directory, 'bob'), 'in the way')
  const theirs = await json({ type: 'attachments.create', params: { name: 'a', mime_type: 'a/b', size: 1 } }, 'bob')
  t.match(await json(create('x', { attachments: [theirs.body.id] }), 'bob'), { status: 503 })
})

t.test(
  'a file whose reader leaves is closed, one that nobody reads is not opened',
  { skip: process.platform !== 'linux' },
  async t => {
    const { announce, store, address } = await attachmentApp(t)
    const bytes = randomBytes(20_000_000)
    const file = await announce('a.bin', '', bytes.length)
    t.equal((await put(file, bytes)).status, 204)
    const { port } = new URL(address)
    const { pathname, search } = new URL(store.downloadUrl(file, 'ada'))
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`GET ${pathname}${search} HTTP/1.1\r\nhost: x\r\n\r\n`)
    socket.pause()
    const descriptors = async () => (await openFiles()).filter(path => path.includes(file.id)).length
    await until(async () => (await descriptors()) === 1)
    socket.destroy()
    await until(async () => (await descriptors()) === 0)
    const { size, stream } = await store.read(file, 'ada')
    t.equal(size, bytes.length)
    t.equal(await descriptors(), 0)
    await store.delete(file, 'ada')
    await t.rejects(stream.toArray(), { code: 'FST_CHATKIT_ATTACHMENT_NOT_UPLOADED', statusCode: 409 })
  }
)

t.test('a file that is deleted while somebody asks for it is not there, which is no outage', async t => {
  let path = ''
  const { announce, store, files } = await attachmentApp(t, {
    prepare(app) {
      // Between its being found and its being opened.
      app.addHook('onSend', async ({ method }) => {
        if (method === 'GET') await rm(path, { force: true })
      })
    }
  })
  const file = await announce('a.txt', 'text/plain', 5)
  t.equal((await put(file, 'hello')).status, 204)
  path = (await files())[0] ?? ''
  t.match(await code(await fetch(store.downloadUrl(file, 'ada'))), {
    status: 409,
    code: 'FST_CHATKIT_ATTACHMENT_NOT_UPLOADED'
  })
  t.equal((await fetch(store.downloadUrl(file, 'ada'))).status, 404)
})

t.test('its files are for itself alone', { skip: process.platform === 'win32' }, async t => {
  const { announce, files } = await attachmentApp(t)
  await put(await announce('a.txt', 'text/plain', 5), 'hello')
  const [path = ''] = await files()
  t.equal((await stat(path)).mode & 0o777, 0o600)
  t.equal((await stat(join(path, '..'))).mode & 0o777, 0o700)
  t.equal(await readFile(path, 'utf8'), 'hello')
})

t.test('options that cannot be meant are refused at start-up', async t => {
  const good = { directory: 'x', url: 'https://a.example/files', secret }
  const cases = [
    { directory: '' },
    { secret: 'short' },
    { secret: [] },
    { url: 'ftp://a.example' },
    { url: '/files' },
    { url: 'https://a.example?x=1' },
    { maxBytes: 0 },
    { accept: ['image'] },
    { uploadTtlMs: 0 },
    { readTtlMs: 1.5 }
  ]
  for (const one of cases) t.throws(() => localAttachmentStore({ ...good, ...one }), TypeError, JSON.stringify(one))
})

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; await sleep(20)) if (await holds()) return
  throw new Error('It never came about')
}

async function openFiles(): Promise<string[]> {
  const { readdir, readlink } = await import('node:fs/promises')
  const links = (await readdir('/proc/self/fd')).map(fd => readlink(`/proc/self/fd/${fd}`).catch(() => ''))
  return await Promise.all(links)
}
