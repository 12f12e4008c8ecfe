import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Attachment } from '../protocol/attachment.ts'
import type { ContractCase } from './contract-case.ts'

const hour = 60 * 60 * 1000

/** The part of the contract that is about attachments and opinions. */
export const attachmentAndFeedbackContract: readonly ContractCase[] = [
  {
    name: 'an attachment comes back as it was saved, to its owner alone',
    async check(store) {
      const mine = store.forOwner(randomUUID())
      const theirs = store.forOwner(randomUUID())
      const image: Attachment = {
        id: `atc_${randomUUID()}`,
        type: 'image',
        name: 'a\0b ✓.png',
        mime_type: 'image/png',
        preview_url: 'https://blob.example/p',
        upload_descriptor: { url: 'https://blob.example/u', method: 'PUT', headers: { a: 'b' } },
        metadata: { size: 12, nothing: null }
      }
      await mine.saveAttachment(image)
      assert.deepEqual(await mine.findAttachment(image.id), image)
      assert.equal(await theirs.findAttachment(image.id), null)
      await theirs.deleteAttachment(image.id)
      await theirs.saveAttachment({ ...image, name: 'theirs' })
      assert.equal((await mine.findAttachment(image.id))?.name, 'a\0b ✓.png')
      await mine.deleteAttachment(image.id)
      assert.equal(await mine.findAttachment(image.id), null)
      assert.equal((await theirs.findAttachment(image.id))?.name, 'theirs')
    }
  },
  {
    name: 'attachments no thread uses can be found by their age',
    async check(store) {
      const owner = randomUUID()
      const mine = store.forOwner(owner)
      const thread_id = `thr_${randomUUID()}`
      await mine.saveThread({
        id: thread_id,
        created_at: '2026-01-02T03:04:05Z',
        status: { type: 'active' },
        metadata: {}
      })
      const [loose, used] = [file('loose'), { ...file('used'), thread_id }]
      await mine.saveAttachment(loose)
      await mine.saveAttachment(used)
      const unused = async (before: Date) =>
        (await store.listUnusedAttachments(before, 10_000))
          .filter(one => one.owner === owner)
          .map(one => one.attachment.name)
      const later = new Date(Date.now() + hour)
      assert.deepEqual(await unused(later), ['loose'])
      assert.deepEqual(await unused(new Date(Date.now() - hour)), [])
      await mine.deleteThread(thread_id)
      assert.deepEqual(await unused(later), ['loose', 'used'])
      assert.equal((await store.listUnusedAttachments(later, 1)).length, 1)
    }
  },
  {
    name: 'an unused attachment is deleted, unless a message takes it meanwhile',
    async check(store) {
      const mine = store.forOwner(randomUUID())
      const [loose, taken] = [file('loose'), file('taken')]
      for (const one of [loose, taken]) await mine.saveAttachment(one)
      let deleted: Promise<boolean> | undefined
      await mine.transaction(async tx => {
        const found = await tx.findAttachment(taken.id)
        assert.deepEqual(found, taken)
        deleted = mine.deleteUnusedAttachment(taken)
        // Long enough for it to come first, were it not made to wait.
        await new Promise(resolve => setTimeout(resolve, 50))
        await tx.saveAttachment({ ...taken, thread_id: 'thr_new' })
      })
      assert.equal(await deleted, false)
      assert.equal((await mine.findAttachment(taken.id))?.thread_id, 'thr_new')
      assert.equal(await store.forOwner(randomUUID()).deleteUnusedAttachment(loose), false)
      assert.equal(await mine.deleteUnusedAttachment(loose), true)
      assert.equal(await mine.deleteUnusedAttachment(loose), false)
      assert.equal(await mine.findAttachment(loose.id), null)
    }
  },
  {
    name: 'the last opinion on an item counts, and only on items there are',
    async check(store) {
      const mine = store.forOwner(randomUUID())
      const theirs = store.forOwner(randomUUID())
      const thread_id = `thr_${randomUUID()}`
      const created_at = '2026-01-02T03:04:05Z'
      await mine.saveThread({ id: thread_id, created_at, status: { type: 'active' }, metadata: {} })
      for (const id of ['a', 'b']) await mine.addItem(thread_id, { id, thread_id, created_at, type: 'end_of_turn' })
      await mine.saveFeedback({ thread_id, item_ids: ['a', 'none', 'x\0y'], kind: 'positive' })
      await mine.saveFeedback({ thread_id, item_ids: ['b'], kind: 'positive' })
      await mine.saveFeedback({ thread_id, item_ids: ['a'], kind: 'negative' })
      await mine.saveFeedback({ thread_id: 'x\0y', item_ids: ['a'], kind: 'negative' })
      await theirs.saveFeedback({ thread_id, item_ids: ['b'], kind: 'negative' })
      const kept = [
        { item_id: 'a', kind: 'negative' },
        { item_id: 'b', kind: 'positive' }
      ]
      assert.deepEqual(await mine.listFeedback(thread_id), kept)
      assert.deepEqual(await theirs.listFeedback(thread_id), [])
      await mine.deleteItem(thread_id, 'a')
      assert.deepEqual(await mine.listFeedback(thread_id), kept.slice(1))
      await mine.deleteThread(thread_id)
      assert.deepEqual(await mine.listFeedback(thread_id), [])
    }
  }
]

function file(name: string): Attachment {
  return { id: `atc_${randomUUID()}`, type: 'file', name, mime_type: 'text/plain' }
}
