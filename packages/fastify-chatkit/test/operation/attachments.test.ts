import { type AttachmentRequest, chatkitErrors } from 'fastify-chatkit'
import { memoryThreadStore } from 'fastify-chatkit/testing'
import t from 'tap'
import { buildApp, create, threadIdOf } from '../fixtures/build-app.ts'

const upload_descriptor = { url: 'https://blob.example/u', method: 'PUT' as const, headers: { a: 'b' } }

function attachmentStore() {
  const asked: AttachmentRequest[] = []
  const deleted: string[] = []
  return {
    asked,
    deleted,
    attachments: {
      async create(request: AttachmentRequest) {
        asked.push(request)
        if (request.mimeType === 'text/x-bad') throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_REFUSED('No such files')
        const image = request.mimeType.startsWith('image/') ? { preview_url: 'https://blob.example/p' } : {}
        return { ...image, upload_descriptor, metadata: { private: true } }
      },
      async delete({ id }: { id: string }) {
        deleted.push(id)
      }
    }
  }
}

const announce = (name: string, mime_type: string, size = 12) => ({
  type: 'attachments.create',
  params: { name, size, mime_type }
})

t.test('A-1 A-2 A-5 DV-11: announced, used in a message, shown with it', async t => {
  const { attachments, asked } = attachmentStore()
  const store = memoryThreadStore()
  const { events, json } = await buildApp(t, { attachments, threadStore: store })
  const { body: file } = await json(announce('a.txt', 'text/plain'))
  const { body: image } = await json(announce('b.png', 'image/png'))
  t.match(file.id, /^atc_[0-9a-f]{24}$/)
  t.strictSame(file, { id: file.id, type: 'file', name: 'a.txt', mime_type: 'text/plain', upload_descriptor })
  t.match(image, { type: 'image', preview_url: 'https://blob.example/p' })
  t.strictSame(asked[0], { id: file.id, owner: 'ada', name: 'a.txt', size: 12, mimeType: 'text/plain' })
  const told = await events(create('see', { attachments: [image.id, file.id] }))
  const thread_id = threadIdOf(told)
  const shown = [
    {
      id: image.id,
      type: 'image',
      name: 'b.png',
      mime_type: 'image/png',
      preview_url: 'https://blob.example/p',
      thread_id
    },
    { id: file.id, type: 'file', name: 'a.txt', mime_type: 'text/plain', thread_id }
  ]
  t.match(told[1], { item: { attachments: shown } })
  t.notMatch(JSON.stringify(told), 'blob.example/u')
  const { body } = await json({ type: 'items.list', params: { thread_id, order: 'asc' } })
  t.strictSame(body.data[0].attachments, shown)
  t.match(await store.forOwner('ada').findAttachment(file.id), { thread_id, metadata: { private: true } })
  const keeping = await buildApp(t, { attachments, keepUploadDescriptor: true })
  const { body: kept } = await keeping.json(announce('a.txt', 'text/plain'))
  t.match((await keeping.events(create('see', { attachments: [kept.id] })))[1], {
    item: { attachments: [{ upload_descriptor }] }
  })
})

t.test('A-6 DV-8: what one does not have cannot be used, and leaves nothing behind', async t => {
  const { attachments } = attachmentStore()
  const { events, json } = await buildApp(t, { attachments })
  const { body: theirs } = await json(announce('a.txt', 'text/plain'), { as: 'bob' })
  const { body: mine } = await json(announce('a.txt', 'text/plain'))
  const answers = []
  for (const id of [theirs.id, 'atc_none', 'a\u0000'])
    answers.push(await json(create('x', { attachments: [mine.id, id] })))
  for (const answer of answers)
    t.strictSame(answer, answers[0], 'one answer for what is not there and what is not yours')
  t.match(answers[0], { status: 404, body: { code: 'FST_CHATKIT_ATTACHMENT_NOT_FOUND' } })
  t.strictSame((await json({ type: 'threads.list', params: {} })).body.data, [], 'no thread without its message')
  const told = await events(create('x', { attachments: [mine.id] }))
  t.match(told[1], { item: { attachments: [{ id: mine.id, thread_id: threadIdOf(told) }] } })
})

t.test('A-3: only its owner deletes an attachment; deleting again is fine; messages keep their copies', async t => {
  const { attachments, deleted } = attachmentStore()
  const { events, json } = await buildApp(t, { attachments })
  const { body: file } = await json(announce('a.txt', 'text/plain'))
  const thread_id = threadIdOf(await events(create('x', { attachments: [file.id] })))
  const remove = { type: 'attachments.delete', params: { attachment_id: file.id } }
  t.strictSame(await json(remove, { as: 'bob' }), { status: 200, body: {} })
  t.strictSame(deleted, [])
  t.strictSame(await json(remove), { status: 200, body: {} })
  t.strictSame(await json(remove), { status: 200, body: {} })
  t.strictSame(deleted, [file.id])
  const { body } = await json({ type: 'items.list', params: { thread_id, order: 'asc' } })
  t.match(body.data[0].attachments, [{ id: file.id }])
})

t.test('an attachment store that fails is an outage, and its record stays to try again with', async t => {
  let away = false
  const { attachments } = attachmentStore()
  const fail = async () => {
    throw new Error('connect ECONNREFUSED')
  }
  const { events, json } = await buildApp(t, {
    attachments: {
      create: request => (away ? fail() : attachments.create(request)),
      delete: attachment => (away ? fail() : attachments.delete(attachment))
    }
  })
  const { body: file } = await json(announce('a.txt', 'text/plain'))
  const remove = { type: 'attachments.delete', params: { attachment_id: file.id } }
  away = true
  const outage = { status: 503, body: { code: 'FST_CHATKIT_ATTACHMENTS_UNAVAILABLE' } }
  t.match(await json(announce('b.txt', 'text/plain')), outage)
  t.match(await json(remove), outage)
  away = false
  t.equal((await events(create('x', { attachments: [file.id] })))[0]?.type, 'thread.created')
})

t.test('A-4 A-7: refused without a store, too large, or not wanted', async t => {
  const none = await buildApp(t)
  t.match(await none.json(announce('a', 'b')), { status: 400, body: { code: 'FST_CHATKIT_NOT_SUPPORTED' } })
  t.equal((await none.json({ type: 'attachments.delete', params: { attachment_id: 'a' } })).status, 400)
  const { json } = await buildApp(t, { attachments: attachmentStore().attachments, limits: { attachmentBytes: 100 } })
  t.match(await json(announce('a', 'b', 101)), { status: 413, body: { code: 'FST_CHATKIT_ATTACHMENT_TOO_LARGE' } })
  t.match(await json(announce('a', 'text/x-bad')), { status: 415, body: { message: 'No such files' } })
  t.equal((await json(announce('a', 'b', -1))).status, 400)
  t.equal((await json(announce('a', 'b', 1.5))).status, 400)
})
