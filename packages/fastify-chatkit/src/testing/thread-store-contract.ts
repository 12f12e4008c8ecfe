import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { ThreadItem } from '../protocol/item/registry.ts'
import { attachmentAndFeedbackContract } from './attachment-contract.ts'
import type { ContractCase } from './contract-case.ts'
import { common, message, owner, thread, withThread } from './contract-records.ts'
import { transactionContract } from './transaction-contract.ts'

/**
 * What every thread store must do. Each case takes owners of its own, so one store can serve them all.
 *
 * ```ts
 * for (const { name, check } of threadStoreContract) test(name, () => check(myStore))
 * ```
 */
export const threadStoreContract: readonly ContractCase[] = [
  {
    name: 'a thread comes back as it was saved',
    async check(store) {
      const mine = store.forOwner(owner())
      const full = thread({
        title: 'Ünï ✓',
        status: { type: 'locked', reason: 'because' },
        allowed_image_domains: ['a.example'],
        metadata: { nested: { n: null, list: [1, null] } }
      })
      const bare = thread()
      await mine.saveThread(full)
      await mine.saveThread(bare)
      assert.deepEqual(await mine.findThread(full.id), full)
      assert.deepEqual(await mine.findThread(bare.id), bare)
      await mine.saveThread({ ...full, title: null, allowed_image_domains: null })
      const { title: _, allowed_image_domains: __, ...rest } = full
      assert.deepEqual(await mine.findThread(full.id), rest)
    }
  },
  {
    name: 'what is not there is null, an empty page, or nothing to do',
    async check(store) {
      const mine = store.forOwner(owner())
      for (const id of ['thr_none', '', 'a\0b', '\ud800', 'x'.repeat(10_000)]) {
        assert.equal(await mine.findThread(id), null)
        assert.equal(await mine.findItem(id, id), null)
        assert.equal(await mine.findAttachment(id), null)
        assert.equal(await mine.updateThread(id, { title: 'x' }), null)
        assert.deepEqual(await mine.listItems(id, { limit: 5, order: 'asc' }), { data: [], has_more: false })
        assert.equal(await mine.deleteItemsAfter(id, id), 0)
        await mine.deleteThread(id)
        await mine.deleteItem(id, id)
        await mine.deleteAttachment(id)
      }
      assert.deepEqual(await mine.listThreads({ limit: 5, order: 'desc' }), { data: [], has_more: false })
    }
  },
  {
    name: 'an update changes what it names and nothing else',
    async check(store) {
      const mine = store.forOwner(owner())
      const before = thread({ title: 'old', metadata: { keep: 1 } })
      await mine.saveThread(before)
      assert.deepEqual(await mine.updateThread(before.id, { title: 'new' }), { ...before, title: 'new' })
      await mine.updateThread(before.id, { status: { type: 'closed' } })
      assert.deepEqual(await mine.findThread(before.id), { ...before, title: 'new', status: { type: 'closed' } })
      const { title: _, ...untitled } = { ...before, status: { type: 'closed' as const } }
      assert.deepEqual(await mine.updateThread(before.id, { title: null }), untitled)
    }
  },
  {
    name: 'items come back in the order they were added, however equal their times',
    async check(store) {
      const [mine, at] = await withThread(store)
      const added = Array.from({ length: 25 }, (_, n) => message(at, `m${n}`))
      for (const item of added) await mine.addItem(at, item)
      const asc = await mine.listItems(at, { limit: 25, order: 'asc' })
      assert.deepEqual(asc, { data: added, has_more: false })
      const desc = await mine.listItems(at, { limit: 25, order: 'desc' })
      assert.deepEqual(desc.data, added.toReversed())
    }
  },
  {
    name: 'pages join up without loss, in both orders',
    async check(store) {
      const [mine, at] = await withThread(store)
      const added = Array.from({ length: 9 }, (_, n) => message(at, `m${n}`))
      for (const item of added) await mine.addItem(at, item)
      for (const order of ['asc', 'desc'] as const) {
        const seen: string[] = []
        let after: string | undefined
        do {
          const page = await mine.listItems(at, { limit: 4, order, after })
          seen.push(...page.data.map(item => item.id))
          assert.equal(page.has_more, page.after !== undefined)
          if (page.has_more) assert.equal(page.after, page.data.at(-1)?.id)
          after = page.after
        } while (after !== undefined)
        const ids = added.map(item => item.id)
        assert.deepEqual(seen, order === 'asc' ? ids : ids.toReversed())
      }
    }
  },
  {
    name: 'threads are listed by creation, not by their last change',
    async check(store) {
      const mine = store.forOwner(owner())
      const threads = [thread({ title: 'a' }), thread({ title: 'b' }), thread({ title: 'c' })]
      for (const one of threads) await mine.saveThread(one)
      const [first, second, third] = threads
      assert(first && second && third)
      await mine.saveThread({ ...first, title: 'changed' })
      const page = await mine.listThreads({ limit: 2, order: 'desc' })
      assert.deepEqual(page, { data: [third, second], has_more: true, after: second.id })
      const rest = await mine.listThreads({ limit: 2, order: 'desc', after: second.id })
      assert.deepEqual(rest, { data: [{ ...first, title: 'changed' }], has_more: false })
      assert.deepEqual(await mine.listThreads({ limit: 2, order: 'desc', after: first.id }), {
        data: [],
        has_more: false
      })
    }
  },
  {
    name: 'a cursor that names nothing of this owner is refused',
    async check(store) {
      const [mine, at] = await withThread(store)
      const [theirs, elsewhere] = await withThread(store)
      const foreign = message(elsewhere, 'theirs')
      await theirs.addItem(elsewhere, foreign)
      await mine.addItem(at, message(at, 'mine'))
      const code = { code: 'FST_CHATKIT_CURSOR_UNKNOWN' }
      for (const after of ['msg_none', foreign.id, 'a\0b'])
        await assert.rejects(mine.listItems(at, { limit: 5, order: 'asc', after }), code)
      for (const after of ['thr_none', elsewhere, '\0'])
        await assert.rejects(mine.listThreads({ limit: 5, order: 'asc', after }), code)
    }
  },
  {
    name: 'hidden items neither show nor shorten a page, and are good cursors',
    async check(store) {
      const [mine, at] = await withThread(store)
      const [one, two, three] = [message(at, '1'), message(at, '2'), message(at, '3')]
      const secret: ThreadItem = { ...common(at, 'hcx'), type: 'hidden_context_item', content: { why: null } }
      for (const item of [one, secret, two, three]) await mine.addItem(at, item)
      assert.deepEqual(await mine.listItems(at, { limit: 2, order: 'asc' }), {
        data: [one, two],
        has_more: true,
        after: two.id
      })
      assert.deepEqual((await mine.listItems(at, { limit: 9, order: 'asc', after: secret.id })).data, [two, three])
      const all = await mine.listItems(at, { limit: 9, order: 'asc', hidden: true })
      assert.deepEqual(all.data, [one, secret, two, three])
    }
  },
  {
    name: 'an id is taken once; saving again replaces the item where it stands',
    async check(store) {
      const [mine, at] = await withThread(store)
      const [one, two] = [message(at, '1'), message(at, '2')]
      await mine.addItem(at, one)
      await mine.addItem(at, two)
      await assert.rejects(mine.addItem(at, one), { code: 'FST_CHATKIT_ITEM_EXISTS' })
      const changed = { ...message(at, 'changed'), id: one.id }
      await mine.saveItem(at, changed)
      const added = message(at, 'added by saving')
      await mine.saveItem(at, added)
      assert.deepEqual((await mine.listItems(at, { limit: 9, order: 'asc' })).data, [changed, two, added])
      assert.deepEqual(await mine.findItem(at, one.id), changed)
    }
  },
  {
    name: 'the same item id in two threads is two items',
    async check(store) {
      const [mine, at] = await withThread(store)
      const other = thread()
      await mine.saveThread(other)
      await mine.addItem(at, { ...message(at, 'here'), id: 'msg_same' })
      await mine.addItem(other.id, { ...message(other.id, 'there'), id: 'msg_same' })
      await mine.deleteItem(at, 'msg_same')
      assert.equal(await mine.findItem(at, 'msg_same'), null)
      assert.equal((await mine.findItem(other.id, 'msg_same'))?.thread_id, other.id)
    }
  },
  {
    name: 'everything after an item is deleted at once',
    async check(store) {
      const [mine, at] = await withThread(store)
      const added = ['1', '2', '3', '4'].map(text => message(at, text))
      for (const item of added) await mine.addItem(at, item)
      assert.equal(await mine.deleteItemsAfter(at, added[1]?.id ?? ''), 2)
      assert.deepEqual((await mine.listItems(at, { limit: 9, order: 'asc' })).data, added.slice(0, 2))
      assert.equal(await mine.deleteItemsAfter(at, 'msg_none'), 0)
      assert.equal((await mine.listItems(at, { limit: 9, order: 'asc' })).data.length, 2)
    }
  },
  {
    name: 'a deleted thread takes its items along, and none can be added to it',
    async check(store) {
      const [mine, at] = await withThread(store)
      const item = message(at, 'gone')
      await mine.addItem(at, item)
      await mine.deleteThread(at)
      assert.equal(await mine.findThread(at), null)
      assert.equal(await mine.findItem(at, item.id), null)
      await assert.rejects(mine.addItem(at, item), { code: 'FST_CHATKIT_THREAD_NOT_FOUND' })
      await assert.rejects(mine.saveItem(at, item), { code: 'FST_CHATKIT_THREAD_NOT_FOUND' })
      await assert.rejects(mine.addItem('a\0b', item), { code: 'FST_CHATKIT_THREAD_NOT_FOUND' })
      await mine.saveThread(thread({}, at))
      assert.deepEqual((await mine.listItems(at, { limit: 9, order: 'asc' })).data, [])
    }
  },
  {
    name: 'one owner cannot see, change or delete what another has',
    async check(store) {
      const [mine, at] = await withThread(store)
      const item = message(at, 'mine')
      await mine.addItem(at, item)
      const other = store.forOwner(owner())
      assert.equal(await other.findThread(at), null)
      assert.equal(await other.findItem(at, item.id), null)
      assert.deepEqual((await other.listItems(at, { limit: 9, order: 'asc', hidden: true })).data, [])
      assert.deepEqual((await other.listThreads({ limit: 9, order: 'asc' })).data, [])
      assert.equal(await other.updateThread(at, { title: 'theirs' }), null)
      await assert.rejects(other.addItem(at, message(at, 'x')), { code: 'FST_CHATKIT_THREAD_NOT_FOUND' })
      await assert.rejects(other.saveItem(at, item), { code: 'FST_CHATKIT_THREAD_NOT_FOUND' })
      assert.equal(await other.deleteItemsAfter(at, item.id), 0)
      await other.deleteItem(at, item.id)
      await other.deleteThread(at)
      // The same id may be two owners' own.
      await other.saveThread(thread({ title: 'theirs' }, at))
      assert.equal((await mine.findThread(at))?.title, undefined)
      assert.deepEqual((await mine.listItems(at, { limit: 9, order: 'asc' })).data, [item])
      assert.deepEqual((await other.listItems(at, { limit: 9, order: 'asc' })).data, [])
    }
  },
  {
    name: 'text comes back whole: NUL, lone surrogates, emoji, and very much of it',
    async check(store) {
      const [mine, at] = await withThread(store)
      for (const text of ['a\0b', '\ud83d', '\udc00x', '👩‍👩‍👧', '\u2028\\u0000', 'é'.repeat(200_000)]) {
        const item = message(at, text)
        await mine.addItem(at, item)
        assert.deepEqual(await mine.findItem(at, item.id), item)
        await mine.updateThread(at, { title: text.slice(0, 20), metadata: { text: text.slice(0, 20) } })
        const saved = await mine.findThread(at)
        assert.equal(saved?.title, text.slice(0, 20))
        assert.deepEqual(saved?.metadata, { text: text.slice(0, 20) })
      }
    }
  },
  {
    name: 'an owner is some text a database can hold',
    async check(store) {
      for (const bad of ['', 'a\0b', '\ud800', 'x'.repeat(257)]) assert.throws(() => store.forOwner(bad), TypeError)
      const odd = store.forOwner(`'; drop table x; -- "${randomUUID()}" \\ é`)
      await odd.saveThread(thread())
      assert.equal((await odd.listThreads({ limit: 9, order: 'asc' })).data.length, 1)
    }
  },
  {
    name: 'many writers at once lose nothing',
    async check(store) {
      const [mine, at] = await withThread(store)
      const added = Array.from({ length: 40 }, (_, n) => message(at, `m${n}`))
      await Promise.all(added.map(item => mine.addItem(at, item)))
      const page = await mine.listItems(at, { limit: 100, order: 'asc' })
      assert.deepEqual(page.data.map(item => item.id).toSorted(), added.map(item => item.id).toSorted())
    }
  },
  ...transactionContract,
  ...attachmentAndFeedbackContract
]
