import { randomBytes } from 'node:crypto'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Attachment, type ChatKitOptions, chatkitErrors, say } from 'fastify-chatkit'
import { type S3AttachmentStoreOptions, s3AttachmentStore } from 'fastify-chatkit/s3'
import { memoryThreadStore } from 'fastify-chatkit/testing'
import t, { type Test } from 'tap'
import { png, put } from '../fixtures/attachment-app.ts'
import { buildApp, create, threadIdOf } from '../fixtures/build-app.ts'
import { s3Server, signatureProblem } from '../fixtures/s3-server.ts'

const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret/of+the=key' }
const bucket = 'chat-files'

async function withS3(t: Test, options: Partial<S3AttachmentStoreOptions> = {}, chatkit: Partial<ChatKitOptions> = {}) {
  const s3 = await s3Server(t, bucket, [
    credentials,
    { ...credentials, accessKeyId: 'ASIATEMP', sessionToken: 'a+b/c=' }
  ])
  const store = s3AttachmentStore({ endpoint: s3.endpoint, bucket, credentials, ...options })
  const threadStore = memoryThreadStore()
  const respond: ChatKitOptions['respond'] = turn => say(turn, 'Seen')
  const client = await buildApp(t, { attachments: store, threadStore, respond, ...chatkit })
  const announce = async (name: string, mime_type: string, size: number, as = 'ada') => {
    const { status, body } = await client.json(
      { type: 'attachments.create', params: { name, mime_type, size } },
      { as }
    )
    if (status !== 200) throw new Error(JSON.stringify(body))
    return body
  }
  /** Uses an attachment in a message: what the answer begins with. */
  const use = async (id: string, as = 'ada') => {
    const response = await client.post(create('see', { attachments: [id] }), { as })
    const text = await response.text()
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text }
  }
  return { ...client, s3, store, threadStore, announce, use }
}

t.test('the server of these tests computes signatures as Amazon does', async t => {
  // The example of "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
  const key = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
  const url =
    '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
    '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
    '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404'
  const headers = { host: 'examplebucket.s3.amazonaws.com' }
  const problem = (more: object = {}, at = '2013-05-24T12:00:00Z') =>
    signatureProblem({ method: 'GET', url, headers, ...more }, [key], 'us-east-1', new Date(at))
  t.equal(problem(), null)
  t.equal(problem({}, '2013-05-25T00:00:01Z'), 'AccessDenied', 'a day later')
  t.equal(problem({ method: 'PUT' }), 'SignatureDoesNotMatch')
  t.equal(problem({ url: url.replace('test.txt', 'test2.txt') }), 'SignatureDoesNotMatch')
  t.equal(problem({ url: url.replace('86400', '86401') }), 'SignatureDoesNotMatch')
  t.equal(problem({ url: '/test.txt' }), 'AccessDenied')
  // And the example of "Signature Calculations for the Authorization Header".
  const signed = {
    url: '/test.txt',
    headers: {
      ...headers,
      range: 'bytes=0-9',
      'x-amz-date': '20130524T000000Z',
      'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,' +
        'SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'
    }
  }
  t.equal(problem(signed, '2013-05-24T00:00:10Z'), null)
  t.equal(problem({ ...signed, url: '/other' }, '2013-05-24T00:00:10Z'), 'SignatureDoesNotMatch')
})

t.test('announced, uploaded, used in a message and shown', async t => {
  const { announce, events, json, s3, threadStore } = await withS3(t)
  const image = await announce('a.png', 'image/png', png.length)
  t.match(image, {
    type: 'image',
    upload_descriptor: { method: 'PUT', headers: { 'content-type': 'image/png', 'if-none-match': '*' } }
  })
  t.equal((await put(image, png)).status, 200)
  const told = await events(create('see', { attachments: [image.id] }))
  const thread_id = threadIdOf(told)
  const { body } = await json({ type: 'items.list', params: { thread_id, order: 'asc' } })
  const [shown] = body.data[0].attachments
  t.notOk(shown.upload_descriptor)
  t.strictSame(Buffer.from(await (await fetch(shown.preview_url)).arrayBuffer()), png)
  const kept = await threadStore.forOwner('ada').listItems(thread_id, { limit: 9, order: 'asc', hidden: true })
  t.notMatch(JSON.stringify(kept), 'X-Amz')
  t.strictSame([...s3.objects.keys()], [`attachments/ada/${image.id}`])
  await json({ type: 'attachments.delete', params: { attachment_id: image.id } })
  t.equal(s3.objects.size, 0)
})

t.test('an address takes that length and that type alone, once, and for some time', async t => {
  let time = Date.now()
  const { announce, s3 } = await withS3(t, { now: () => new Date(time) })
  const file = await announce('a.txt', 'text/plain', 5)
  t.equal((await put(file, 'hello!')).status, 403, 'longer')
  t.equal((await put(file, 'hell')).status, 403, 'shorter')
  t.equal((await put(file, 'hello', { headers: { 'content-type': 'text/html', 'if-none-match': '*' } })).status, 403)
  t.equal((await put(file, 'hello', { headers: { 'content-type': 'text/plain' } })).status, 403)
  t.equal((await put(file, 'hello', { method: 'DELETE' })).status, 403)
  t.equal((await fetch(file.upload_descriptor.url.replace(file.id, 'atc_other'), { method: 'PUT' })).status, 403)
  t.equal(s3.objects.size, 0)
  s3.now = () => new Date(time + 15 * 60 * 1000 + 2000)
  t.equal((await put(file, 'hello')).status, 403, 'too late')
  s3.now = () => new Date(time)
  t.equal((await put(file, 'hello')).status, 200)
  t.equal((await put(file, 'other')).status, 412, 'once')
  const again = await withS3(t, { writeOnce: false })
  const other = await again.announce('a.txt', 'text/plain', 5)
  for (const bytes of ['hello', 'other']) t.equal((await put(other, bytes)).status, 200)
  time += 1
})

t.test('a message is believed only with its bytes', async t => {
  const { announce, json, use, s3 } = await withS3(t)
  const file = await announce('a.pdf', 'application/pdf', 5)
  const key = `attachments/ada/${file.id}`
  t.match(await use(file.id), { status: 409, body: { code: 'FST_CHATKIT_ATTACHMENT_NOT_UPLOADED' } })
  const place = (bytes: string, type = 'application/pdf') =>
    s3.objects.set(key, { bytes: Buffer.from(bytes), type, modified: new Date() })
  // None of these can come by the address; a server may be lax.
  place('%PDF-1')
  t.match(await use(file.id), { status: 400, body: { code: 'FST_CHATKIT_UPLOAD_INVALID' } })
  place('')
  t.match(await use(file.id), { status: 400, body: { code: 'FST_CHATKIT_UPLOAD_INVALID' } })
  place('%PDF-', 'text/html')
  t.match(await use(file.id), { status: 415, body: { code: 'FST_CHATKIT_ATTACHMENT_REFUSED' } })
  place('<html')
  t.match(await use(file.id), { status: 415, body: { code: 'FST_CHATKIT_ATTACHMENT_REFUSED' } })
  t.strictSame((await json({ type: 'threads.list', params: {} })).body.data, [])
  place('%PDF-')
  t.match(await use(file.id), { status: 200 })
})

t.test('asks for no more of a file than it needs', async t => {
  const { announce, s3, store, threadStore, use } = await withS3(t)
  const bytes = Buffer.concat([png, randomBytes(3_000_000)])
  const image = await announce('a.png', 'image/png', bytes.length)
  await put(image, bytes)
  s3.log.length = 0
  t.equal((await use(image.id)).status, 200)
  t.strictSame(s3.log, [`GET /${bucket}/attachments/ada/${image.id} 206`])
  s3.rangesKnown = false
  t.equal((await use(image.id)).status, 200, 'and copes with a server that has no ranges')
  const record = (await threadStore.forOwner('ada').findAttachment(image.id)) as Attachment
  const { size, stream } = await store.read(record, 'ada')
  t.equal(size, bytes.length)
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  t.strictSame(Buffer.concat(chunks), bytes)
  t.strictSame(Buffer.from(await (await fetch(await store.downloadUrl(record, 'ada'))).arrayBuffer()), bytes)
  await t.rejects(store.read(record, 'bob'), { code: 'FST_CHATKIT_ATTACHMENT_NOT_UPLOADED' })
})

t.test('empty files', async t => {
  const { announce, use } = await withS3(t)
  const file = await announce('empty', '', 0)
  t.equal((await put(file, '')).status, 200)
  t.equal((await use(file.id)).status, 200)
})

t.test("another owner's attachment is as good as none", async t => {
  const { announce, json, use, s3 } = await withS3(t)
  const mine = await announce('a.txt', 'text/plain', 5)
  await put(mine, 'hello')
  s3.log.length = 0
  for (const id of [mine.id, 'atc_none']) {
    const answer = await use(id, 'bob')
    t.match(answer, { status: 404, body: { code: 'FST_CHATKIT_ATTACHMENT_NOT_FOUND' } })
    const deleted = await json({ type: 'attachments.delete', params: { attachment_id: id } }, { as: 'bob' })
    t.strictSame(deleted, { status: 200, body: {} })
  }
  t.strictSame(s3.log, [], 'the bucket is not even asked')
  t.equal(s3.objects.size, 1)
})

t.test('within an hour an image keeps its address, and a longer one may be fetched', async t => {
  let time = Date.UTC(2026, 0, 1, 12, 59)
  const { announce, store, s3 } = await withS3(t, { now: () => new Date(time) })
  s3.now = () => new Date(time)
  const image = await announce('a.png', 'image/png', png.length)
  await put(image, png)
  const url = await store.downloadUrl(image, 'ada')
  t.equal(await store.downloadUrl(image, 'ada'), url)
  time += 60 * 60 * 1000
  t.not(await store.downloadUrl(image, 'ada'), url)
  t.equal((await fetch(url)).status, 200, 'an hour later, at least')
  time += 2 * 60 * 1000
  t.equal((await fetch(url)).status, 403, 'and two at most')
})

t.test('temporary credentials are asked for anew, and their token is sent', async t => {
  let asked = 0
  const provider = async () => {
    asked += 1
    // AWS adds fields of its own.
    return { ...credentials, accessKeyId: 'ASIATEMP', sessionToken: 'a+b/c=', expiration: new Date(), region: 'x' }
  }
  const { announce, use, store } = await withS3(t, { credentials: provider })
  const file = await announce('a.txt', 'text/plain', 5)
  t.equal((await put(file, 'hello')).status, 200)
  t.equal((await use(file.id)).status, 200)
  t.equal(await (await fetch(await store.downloadUrl(file, 'ada'))).text(), 'hello')
  t.ok(asked >= 3)
})

t.test('a busy server is asked again; one that is away, or refuses, is an outage', async t => {
  const { announce, json, use, s3, logged } = await withS3(t)
  const file = await announce('a.txt', 'text/plain', 5)
  await put(file, 'hello')
  s3.fail = { status: 503, times: 2 }
  t.equal((await use(file.id)).status, 200)
  const outage = { status: 503, body: { code: 'FST_CHATKIT_ATTACHMENTS_UNAVAILABLE' } }
  s3.fail = { status: 503, times: 3 }
  t.match(await use(file.id), outage)
  t.equal(s3.fail.times, 0)
  s3.fail = { status: 403, times: 1 }
  t.match(await use(file.id), outage)
  s3.fail = { status: 403, times: 1 }
  t.match(await json({ type: 'attachments.delete', params: { attachment_id: file.id } }), outage)
  t.match(JSON.stringify(logged), 'The bucket answered 403 SlowDown')
  t.notMatch(JSON.stringify(logged), 'X-Amz-Signature')

  const away = await withS3(t, { credentials: { ...credentials, secretAccessKey: 'wrong' } })
  const lost = await away.announce('a.txt', 'text/plain', 5)
  t.equal((await put(lost, 'hello')).status, 403)
  t.match(await away.use(lost.id), outage, 'wrong credentials are no missing file')
  const broken = await withS3(t, { credentials: () => Promise.reject(new Error('no role')) })
  t.match(await broken.json({ type: 'attachments.create', params: { name: 'a', mime_type: 'a/b', size: 1 } }), outage)
})

t.test('a server that does not answer is not waited for', async t => {
  const silent = createServer(() => undefined)
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    silent.closeAllConnections()
    silent.close()
  })
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const store = s3AttachmentStore({ endpoint, bucket, credentials, timeoutMs: 50 })
  const file: Attachment = { id: 'a', name: 'a', type: 'file', mime_type: 'a/b' }
  await t.rejects(store.verify(file, 'ada'), /No answer in 50 ms/)
})

t.test('owners and ids make keys that nothing can mistake', async t => {
  const { store, s3 } = await withS3(t)
  const owners = ['ada', 'Ada', 'a/b', 'a.2fb', '..', 'ädä', 'a b+c', "it's (a) *!", '%2e']
  for (const owner of owners) {
    const { upload_descriptor } = await store.create({ id: `x ${owner}`, owner, name: 'a', size: 5, mimeType: 'a/b' })
    t.equal((await put({ upload_descriptor }, 'hello')).status, 200, owner)
    await store.verify({ id: `x ${owner}`, name: 'a', type: 'file', mime_type: 'a/b' }, owner)
  }
  t.equal(s3.objects.size, owners.length)
  for (const key of s3.objects.keys()) t.match(key, /^attachments\/[a-zA-Z0-9_.-]+\/[a-zA-Z0-9_.-]+$/)
})

t.test('collects bytes nobody knows, page by page, and nothing else', async t => {
  const { store, s3 } = await withS3(t)
  s3.pageSize = 3
  const place = (key: string, ageMs: number) =>
    s3.objects.set(key, { bytes: Buffer.from('x'), type: 'a/b', modified: new Date(Date.now() - ageMs) })
  for (let n = 0; n < 10; n += 1) place(`attachments/ada/atc_${n}`, 5000)
  place('attachments/.c3.a4/new', 0)
  place('attachments/.c3.a4/old', 5000)
  place('attachments/readme.txt', 5000)
  place('attachments/a/b/c', 5000)
  place('other/ada/atc_1', 5000)
  const asked: string[] = []
  const deleted = await store.collect(new Date(Date.now() - 1000), async (owner, id) => {
    asked.push(`${owner} ${id}`)
    return id === 'atc_7'
  })
  t.equal(deleted, 10)
  t.equal(asked.length, 11)
  t.ok(asked.includes('ä old'))
  t.strictSame(
    [...s3.objects.keys()],
    [
      'attachments/ada/atc_7',
      'attachments/.c3.a4/new',
      'attachments/readme.txt',
      'attachments/a/b/c',
      'other/ada/atc_1'
    ]
  )
})

t.test('knows the bucket in the host, other regions, and an address of its own for browsers', async t => {
  const s3 = await s3Server(t, bucket, [credentials], 'eu-central-1')
  const { port } = new URL(s3.endpoint)
  // No name server knows this host, so the request is sent by hand.
  const store = s3AttachmentStore({
    endpoint: s3.endpoint,
    publicEndpoint: `http://files.example:${port}`,
    pathStyle: false,
    region: 'eu-central-1',
    bucket,
    credentials
  })
  const { upload_descriptor } = await store.create({ id: 'a', owner: 'ada', name: 'a', size: 5, mimeType: 'a/b' })
  const { host, pathname, search } = new URL(upload_descriptor?.url ?? '')
  t.equal(host, `${bucket}.files.example:${port}`)
  t.equal(pathname, '/attachments/ada/a')
  const status = await new Promise((resolve, reject) => {
    const headers = { ...upload_descriptor?.headers, host, 'content-length': 5 }
    httpRequest({ host: '127.0.0.1', port, path: pathname + search, method: 'PUT', headers }, response =>
      resolve(response.resume().statusCode)
    )
      .on('error', reject)
      .end('hello')
  })
  t.equal(status, 200)
  t.ok(s3.objects.has('attachments/ada/a'))
  const amazon = s3AttachmentStore({ bucket, region: 'eu-west-1', credentials })
  const url = new URL(await amazon.downloadUrl({ id: 'a' }, 'ada'))
  t.equal(url.origin, `https://${bucket}.s3.eu-west-1.amazonaws.com`)
})

t.test('what is not wanted is refused when it is announced', async t => {
  const { json } = await withS3(t, { accept: ['image/*'], maxBytes: 100 })
  const announce = (mime_type: string, size: number) =>
    json({ type: 'attachments.create', params: { name: 'a', mime_type, size } })
  t.equal((await announce('image/png', 100)).status, 200)
  t.equal((await announce('image/png', 101)).status, 413)
  t.equal((await announce('text/plain', 5)).status, 415)
  t.equal((await announce('image/png\r\nx: y', 5)).status, 415)
  t.ok(chatkitErrors.FST_CHATKIT_ATTACHMENT_REFUSED)
})

t.test('options that cannot be meant are refused at start-up', async t => {
  const good = { bucket, credentials }
  const cases: Partial<S3AttachmentStoreOptions>[] = [
    { bucket: 'A' },
    { bucket: 'a/b' },
    { endpoint: 'ftp://a' },
    { endpoint: 'nothing' },
    { endpoint: 'https://a.example?x=y' },
    { publicEndpoint: 'https://user@a.example' },
    { prefix: 'no-slash' },
    { prefix: '../' },
    { uploadTtlMs: 8 * 24 * 60 * 60 * 1000 },
    { readTtlMs: 4 * 24 * 60 * 60 * 1000 },
    { timeoutMs: 0 },
    { maxBytes: -1 }
  ]
  for (const one of cases) t.throws(() => s3AttachmentStore({ ...good, ...one }), TypeError, JSON.stringify(one))
})
