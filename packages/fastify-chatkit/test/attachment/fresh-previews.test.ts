import { type Attachment, type AttachmentRequest, type AttachmentStore, chatkitErrors, progress } from 'fastify-chatkit'
import { memoryThreadStore } from 'fastify-chatkit/testing'
import t from 'tap'
import { add, buildApp, create, threadIdOf } from '../fixtures/build-app.ts'

const announce = (name: string, mime_type: string) => ({
  type: 'attachments.create',
  params: { name, mime_type, size: 12 }
})

/** A store whose addresses count how often they were asked for. */
function countingStore() {
  let asked = 0
  const verified: string[] = []
  const store: AttachmentStore = {
    async create({ mimeType }: AttachmentRequest) {
      return mimeType.startsWith('image/') ? { preview_url: 'https://blob.example/first?signature=1' } : {}
    },
    async delete() {},
    async verify({ id, name }: Attachment) {
      verified.push(id)
      if (name === 'missing.txt') throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_NOT_UPLOADED()
      if (name === 'away.txt') throw new Error('connect ECONNREFUSED')
    },
    previewUrl({ name }: Attachment, owner: string) {
      if (name === 'foreign.png') return null
      if (name === 'away.png') throw new Error('no credentials')
      asked += 1
      return `https://blob.example/${owner}/${asked}?signature=fresh`
    }
  }
  return { store, verified }
}

t.test('an image is shown at an address made when it is read, which no history keeps', async t => {
  const threadStore = memoryThreadStore()
  const { json, events } = await buildApp(t, { attachments: countingStore().store, threadStore })
  const { body: image } = await json(announce('a.png', 'image/png'))
  t.equal(image.preview_url, 'https://blob.example/first?signature=1')
  const told = await events(create('see', { attachments: [image.id] }))
  const thread_id = threadIdOf(told)
  const shown = new Set<string>()
  const look = (attachment: { preview_url: string }) => {
    t.match(attachment.preview_url, /^https:\/\/blob\.example\/ada\/\d+\?signature=fresh$/)
    t.notOk(shown.has(attachment.preview_url), 'another one each time')
    shown.add(attachment.preview_url)
  }
  const [, done] = told
  if (done?.type !== 'thread.item.done' || done.item.type !== 'user_message') throw new Error('no message')
  look(done.item.attachments[0] as { preview_url: string })
  look((await json({ type: 'items.list', params: { thread_id, order: 'asc' } })).body.data[0].attachments[0])
  look((await json({ type: 'threads.get_by_id', params: { thread_id } })).body.items.data[0].attachments[0])
  const kept = threadStore.forOwner('ada')
  const items = await kept.listItems(thread_id, { limit: 9, order: 'asc', hidden: true })
  for (const saved of [items.data, await kept.findAttachment(image.id)]) {
    t.notMatch(JSON.stringify(saved), 'signature')
    t.match(JSON.stringify(saved), `attachment:${image.id}`)
  }
})

t.test('an address the store does not care for stays as it was saved', async t => {
  const threadStore = memoryThreadStore()
  const { json } = await buildApp(t, { attachments: countingStore().store, threadStore })
  const { body: image } = await json(announce('foreign.png', 'image/png'))
  t.equal(image.preview_url, 'https://blob.example/first?signature=1')
  t.match(await threadStore.forOwner('ada').findAttachment(image.id), { preview_url: image.preview_url })
})

t.test('responders see the fresh address too', async t => {
  let seen: unknown
  const { json, events } = await buildApp(t, {
    attachments: countingStore().store,
    async *respond(turn) {
      seen = [turn.input?.attachments, (await turn.items.newest(1))[0]]
      yield progress('Looking')
    }
  })
  const { body: image } = await json(announce('a.png', 'image/png'))
  await events(create('see', { attachments: [image.id] }))
  t.equal(JSON.stringify(seen).match(/signature=fresh/g)?.length, 2)
})

t.test('a message whose attachment has no bytes is refused, and nothing of it is stored', async t => {
  const { store, verified } = countingStore()
  const { json, events } = await buildApp(t, { attachments: store })
  const { body: missing } = await json(announce('missing.txt', 'text/plain'))
  const { body: away } = await json(announce('away.txt', 'text/plain'))
  const { body: good } = await json(announce('good.txt', 'text/plain'))
  const refused = { status: 409, body: { code: 'FST_CHATKIT_ATTACHMENT_NOT_UPLOADED' } }
  const outage = { status: 503, body: { code: 'FST_CHATKIT_ATTACHMENTS_UNAVAILABLE' } }
  t.match(await json(create('x', { attachments: [good.id, missing.id] })), refused)
  t.match(await json(create('x', { attachments: [away.id] })), outage)
  t.strictSame((await json({ type: 'threads.list', params: {} })).body.data, [])
  const thread_id = threadIdOf(await events(create('x')))
  t.match(await json(add(thread_id, 'x', { attachments: [missing.id] })), refused)
  t.equal((await json({ type: 'items.list', params: { thread_id } })).body.data.length, 2)
  // Another owner's is not even looked at.
  verified.length = 0
  t.equal((await json(create('x', { attachments: [good.id] }), { as: 'bob' })).status, 404)
  t.strictSame(verified, [])
})

t.test('an address that cannot be made is an outage', async t => {
  const { json } = await buildApp(t, { attachments: countingStore().store })
  const answer = await json(announce('away.png', 'image/png'))
  t.match(answer, { status: 503, body: { code: 'FST_CHATKIT_ATTACHMENTS_UNAVAILABLE' } })
})

t.test('an attachment named twice is in the message twice', async t => {
  const { json, events } = await buildApp(t, { attachments: countingStore().store })
  const { body: one } = await json(announce('1.txt', 'text/plain'))
  const { body: two } = await json(announce('2.txt', 'text/plain'))
  const told = await events(create('x', { attachments: [two.id, one.id, two.id] }))
  t.match(told[1], { item: { attachments: [{ id: two.id }, { id: one.id }, { id: two.id }] } })
})
