import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { AttachmentStore } from '../attachment/attachment-store.ts'
import { isChatKitError } from '../errors.ts'
import { type Attachment, attachment } from '../protocol/attachment.ts'
import type { ThreadStore } from '../store/thread-store.ts'

/** An attachment store, its addresses within reach, and the thread store its records are in. It takes every type, up to a mebibyte at least. */
export type AttachmentStoreHarness = { store: AttachmentStore; threadStore: ThreadStore }

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64'
)

/** What every attachment store with a first phase must do; `verify`, `previewUrl` and `collect` where it has them. Throws `AssertionError`. */
export const attachmentStoreContract: readonly {
  name: string
  check: (harness: AttachmentStoreHarness) => Promise<void>
}[] = [
  {
    name: 'bytes are there once they were sent to where the store said',
    async check(harness) {
      const file = await announce(harness, 'ada', { name: 'a.txt', mime_type: 'text/plain', size: 5 })
      await notThere(harness, file, 'ada')
      assert.ok((await send(file, 'hello')).ok)
      await harness.store.verify?.(file, 'ada')
      const read = await harness.store.read?.(file, 'ada')
      if (!read) return
      assert.equal(read.size, 5)
      assert.equal(Buffer.concat(await read.stream.toArray()).toString(), 'hello')
      for (const [other, owner] of [
        [file, 'bob'],
        [{ id: 'atc_none' }, 'ada']
      ] as const)
        await assert.rejects(async () => await harness.store.read?.(other, owner), {
          code: 'FST_CHATKIT_ATTACHMENT_NOT_UPLOADED'
        })
    }
  },
  {
    name: 'nothing longer or shorter than announced is there',
    async check(harness) {
      for (const bytes of ['hell', 'hello!', '']) {
        const file = await announce(harness, 'ada', { name: 'a.txt', mime_type: 'text/plain', size: 5 })
        const sent = await send(file, bytes)
        assert.ok(!sent.ok || (await refusal(harness, file, 'ada')), `${bytes.length} bytes for 5`)
      }
    }
  },
  {
    name: 'bytes of another type are refused, when they are sent or when they are used',
    async check(harness) {
      const page = '<html><script>alert(1)</script></html>'
      const file = await announce(harness, 'ada', { name: 'a.png', mime_type: 'image/png', size: page.length })
      const sent = await send(file, page)
      assert.ok(!sent.ok || (await refusal(harness, file, 'ada')) === 'FST_CHATKIT_ATTACHMENT_REFUSED')
    }
  },
  {
    name: 'an image is shown at an address, a file of another type is not',
    async check(harness) {
      const image = await announce(harness, 'ada', { name: 'a.png', mime_type: 'image/png', size: png.length })
      assert.equal(image.type, 'image')
      assert.ok((await send(image, png)).ok)
      const preview = (await harness.store.previewUrl?.(image, 'ada')) ?? urlOf(image)
      assert.deepEqual(Buffer.from(await (await fetch(preview)).arrayBuffer()), png)
      for (const mime_type of ['text/html', 'application/pdf', 'image/svg+xml', ''])
        assert.equal((await announce(harness, 'ada', { name: 'a', mime_type, size: 1 })).type, 'file', mime_type)
    }
  },
  {
    name: 'what one owner has is nobody else’s, even under the same id',
    async check(harness) {
      const { store } = harness
      const mine = await announce(harness, 'ada', { name: 'a.txt', mime_type: 'text/plain', size: 5 })
      assert.ok((await send(mine, 'hello')).ok)
      await notThere(harness, mine, 'bob')
      await store.delete(mine, 'bob')
      await store.verify?.(mine, 'ada')
      const theirs = await announce(harness, 'bob', { name: 'b.txt', mime_type: 'text/plain', size: 6 }, mine.id)
      await notThere(harness, theirs, 'bob')
      assert.ok((await send(theirs, 'theirs')).ok)
      await store.verify?.(mine, 'ada')
      await store.delete(theirs, 'bob')
      await store.verify?.(mine, 'ada')
      for (const owner of ['Ada', 'ada/', 'ad', 'ada\u0301', '../ada', '%61da']) await notThere(harness, mine, owner)
    }
  },
  {
    name: 'what is deleted is gone, and may be deleted again',
    async check(harness) {
      const image = await announce(harness, 'ada', { name: 'a.png', mime_type: 'image/png', size: png.length })
      assert.ok((await send(image, png)).ok)
      await harness.store.delete(image, 'ada')
      await harness.store.delete(image, 'ada')
      await notThere(harness, image, 'ada')
      const preview = (await harness.store.previewUrl?.(image, 'ada')) ?? urlOf(image)
      assert.equal((await fetch(preview)).ok, false)
    }
  },
  {
    name: 'names are for people: none of them is a path',
    async check(harness) {
      const kept = await announce(harness, 'ada', { name: 'a.txt', mime_type: 'text/plain', size: 5 })
      assert.ok((await send(kept, 'hello')).ok)
      for (const name of [
        'a.txt',
        '../a.txt',
        '/etc/passwd',
        'a\0b',
        'ü☃\r\nx: y',
        kept.id,
        'C:\\x',
        'x'.repeat(200)
      ]) {
        const other = await announce(harness, 'ada', { name, mime_type: 'text/plain', size: 5 })
        assert.ok((await send(other, 'other')).ok, name)
        await harness.store.verify?.(other, 'ada')
      }
      await harness.store.verify?.(kept, 'ada')
    }
  },
  {
    name: 'housekeeping deletes bytes nobody knows, and nothing else',
    async check(harness) {
      const { store } = harness
      if (!store.collect) return
      const [known, unknown] = [
        await announce(harness, 'ada/x', { name: 'a', mime_type: 'text/plain', size: 5 }),
        await announce(harness, 'ada/x', { name: 'b', mime_type: 'text/plain', size: 5 })
      ]
      for (const one of [known, unknown]) assert.ok((await send(one, 'hello')).ok)
      const isKnown = async (owner: string, id: string) => owner === 'ada/x' && id === known.id
      assert.equal(await store.collect(new Date(Date.now() - 60 * 60 * 1000), isKnown), 0)
      const later = new Date(Date.now() + 60 * 60 * 1000)
      assert.ok((await store.collect(later, isKnown)) >= 1)
      await store.verify?.(known, 'ada/x')
      await notThere(harness, unknown, 'ada/x')
      assert.equal(await store.collect(later, isKnown), 0)
    }
  }
]

async function announce(
  { store, threadStore }: AttachmentStoreHarness,
  owner: string,
  file: { name: string; mime_type: string; size: number },
  id = `atc_${randomUUID()}`
): Promise<Attachment> {
  const { name, size, mime_type } = file
  const created = await store.create({ id, owner, name, size, mimeType: mime_type })
  const type = created.preview_url === undefined ? 'file' : 'image'
  const record = attachment.parse({ ...created, id, name, mime_type, type })
  await threadStore.forOwner(owner).saveAttachment(record)
  return record
}

async function send({ upload_descriptor }: Attachment, bytes: string | Buffer): Promise<Response> {
  assert.ok(upload_descriptor, 'the store says where the bytes go')
  const { url, method, headers } = upload_descriptor
  const response = await fetch(url, { method, headers, body: bytes })
  await response.body?.cancel()
  return response
}

async function notThere(harness: AttachmentStoreHarness, file: Attachment, owner: string): Promise<void> {
  if (harness.store.verify)
    assert.equal(
      await refusal(harness, file, owner),
      'FST_CHATKIT_ATTACHMENT_NOT_UPLOADED',
      `${owner} has no such bytes`
    )
}

/** The code a message with this attachment would be refused with; `null` when it would not be. */
async function refusal({ store }: AttachmentStoreHarness, file: Attachment, owner: string): Promise<string | null> {
  try {
    await store.verify?.(file, owner)
    return null
  } catch (error) {
    if (!isChatKitError(error)) throw error
    return error.code
  }
}

function urlOf(image: Attachment): string {
  assert.ok(image.type === 'image')
  return image.preview_url
}
