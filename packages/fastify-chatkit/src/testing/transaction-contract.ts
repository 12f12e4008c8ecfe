import assert from 'node:assert/strict'
import type { ContractCase } from './contract-case.ts'
import { message, owner, thread, withThread } from './contract-records.ts'

/** The part of the contract that is about transactions. */
export const transactionContract: readonly ContractCase[] = [
  {
    name: 'a transaction happens as a whole',
    async check(store) {
      const mine = store.forOwner(owner())
      const kept = thread()
      const item = message(kept.id, 'kept')
      const result = await mine.transaction(async tx => {
        await tx.saveThread(kept)
        await tx.addItem(kept.id, item)
        return (await tx.listItems(kept.id, { limit: 9, order: 'asc' })).data.length
      })
      assert.equal(result, 1)
      assert.deepEqual(await mine.findItem(kept.id, item.id), item)
    }
  },
  {
    name: 'a transaction that throws leaves nothing behind',
    async check(store) {
      const [mine, at] = await withThread(store)
      const item = message(at, 'there before')
      await mine.addItem(at, item)
      const lost = thread()
      const failure = new Error('no')
      await assert.rejects(
        mine.transaction(async tx => {
          await tx.saveThread(lost)
          await tx.deleteItem(at, item.id)
          await tx.updateThread(at, { title: 'no' })
          throw failure
        }),
        failure
      )
      await assert.rejects(
        mine.transaction(async tx => {
          await tx.saveThread(lost)
          await tx.addItem(at, item)
        }),
        { code: 'FST_CHATKIT_ITEM_EXISTS' }
      )
      assert.equal(await mine.findThread(lost.id), null)
      assert.deepEqual(await mine.findItem(at, item.id), item)
      assert.equal((await mine.findThread(at))?.title, undefined)
    }
  },
  {
    name: 'a transaction within a transaction is refused',
    async check(store) {
      const mine = store.forOwner(owner())
      await assert.rejects(
        mine.transaction(tx => tx.transaction(async () => 1)),
        TypeError
      )
    }
  },
  {
    name: 'a thread found in a transaction stays as it is until its end',
    async check(store) {
      const [mine, at] = await withThread(store)
      let changed: Promise<unknown> | undefined
      await mine.transaction(async tx => {
        const found = await tx.findThread(at)
        changed = mine.updateThread(at, { status: { type: 'closed' } })
        // Long enough for it to come first, were it not made to wait.
        await new Promise(resolve => setTimeout(resolve, 50))
        assert.deepEqual(await tx.findThread(at), found)
        await tx.addItem(at, message(at, 'while it was open'))
      })
      await changed
      assert.deepEqual((await mine.findThread(at))?.status, { type: 'closed' })
    }
  },
  {
    name: 'an item found in a transaction stays as it is until its end',
    async check(store) {
      const [mine, at] = await withThread(store)
      const item = message(at, 'as it was')
      await mine.addItem(at, item)
      let changed: Promise<void> | undefined
      await mine.transaction(async tx => {
        const found = await tx.findItem(at, item.id)
        changed = mine.saveItem(at, message(at, 'as another wrote it', item.id))
        // Long enough for it to come first, were it not made to wait.
        await new Promise(resolve => setTimeout(resolve, 50))
        assert.deepEqual(await tx.findItem(at, item.id), found)
      })
      await changed
      assert.deepEqual(await mine.findItem(at, item.id), message(at, 'as another wrote it', item.id))
    }
  }
]
