import { setTimeout as sleep } from 'node:timers/promises'
import { postgresThreadStore } from 'fastify-chatkit'
import { threadStoreContract } from 'fastify-chatkit/testing'
import pg from 'pg'
import t, { type Test } from 'tap'
import { add, buildApp, kinds } from '../fixtures/build-app.ts'
import { migratedDatabase } from '../fixtures/database.ts'

const created_at = '2026-01-02T03:04:05.678Z'

t.test('the contract', async t => {
  const store = postgresThreadStore(await migratedDatabase(t))
  for (const { name, check } of threadStoreContract) await t.test(name, () => check(store))
})

t.test('an opinion on items of which one is being deleted is kept for the others', async t => {
  const { pool, mine, someoneElse } = await twoSessions(t)
  await someoneElse.query('begin')
  await someoneElse.query("delete from chatkit.item where id = 'a'")
  const saved = mine.saveFeedback({ thread_id: 'thr_1', item_ids: ['a', 'b'], kind: 'positive' })
  await aWait(pool)
  await someoneElse.query('commit')
  await saved
  t.same(await mine.listFeedback('thr_1'), [{ item_id: 'b', kind: 'positive' }])
})

t.test('a widget that is being deleted is not brought back by an update of it', async t => {
  const { pool, mine, someoneElse } = await twoSessions(t)
  const widget = (value: string) => ({ type: 'Card', children: [{ type: 'Text', value }] })
  await mine.addItem('thr_1', { id: 'w', thread_id: 'thr_1', created_at, type: 'widget', widget: widget('old') })
  const { events } = await buildApp(t, {
    threadStore: postgresThreadStore(pool),
    persistWidgetUpdates: true,
    *respond() {
      yield {
        type: 'thread.item.updated',
        item_id: 'w',
        update: { type: 'widget.root.updated', widget: widget('new') }
      }
    }
  })
  await someoneElse.query('begin')
  await someoneElse.query("delete from chatkit.item where id = 'w'")
  const told = events(add('thr_1', 'Go on'))
  await aWait(pool)
  await someoneElse.query('commit')
  t.strictSame(kinds(await told), ['user_message done', 'stream_options', 'updated'])
  t.equal(await mine.findItem('thr_1', 'w'), null)
})

t.test('a thread that is being closed takes no message', async t => {
  const { pool, mine, someoneElse } = await twoSessions(t)
  const { json } = await buildApp(t, { threadStore: postgresThreadStore(pool) })
  await someoneElse.query('begin')
  await someoneElse.query(`update chatkit.thread set status = '{"type":"closed"}'`)
  const answer = json(add('thr_1', 'Is there anybody?'))
  await Promise.race([aWait(pool), answer])
  await someoneElse.query('commit')
  t.match(await answer, { status: 409, body: { code: 'FST_CHATKIT_THREAD_CLOSED' } })
  t.equal((await mine.listItems('thr_1', { limit: 9, order: 'asc' })).data.length, 2)
})

t.test('a statement that PostgreSQL undoes because of another is done again', async t => {
  const { pool, mine, someoneElse } = await twoSessions(t, '-c default_transaction_isolation=repeatable\\ read')
  await someoneElse.query('begin')
  await someoneElse.query(`update chatkit.thread set title = '"theirs"'`)
  const updated = mine.updateThread('thr_1', { metadata: { ours: true } })
  await aWait(pool)
  await someoneElse.query('commit')
  t.match(await updated, { title: 'theirs', metadata: { ours: true } })
})

t.test('a transaction that PostgreSQL undoes because of another is done again, as a whole', async t => {
  const { mine, someoneElse } = await twoSessions(t, '-c default_transaction_isolation=repeatable\\ read')
  const seen: unknown[] = []
  await mine.transaction(async tx => {
    seen.push((await tx.listThreads({ limit: 1, order: 'asc' })).data[0]?.title)
    if (seen.length === 1) await someoneElse.query(`update chatkit.thread set title = '"theirs"'`)
    await tx.updateThread('thr_1', { metadata: { seen: seen.length } })
  })
  t.same(seen, [undefined, 'theirs'])
  t.match(await mine.findThread('thr_1'), { title: 'theirs', metadata: { seen: 2 } })
})

t.test(
  'a thread deleted while one of its items is, and another added: each waits for the other, neither fails',
  async t => {
    const { pool, mine } = await twoSessions(t, '-c deadlock_timeout=50ms')
    let deleted: Promise<void> | undefined
    const added = mine.transaction(async tx => {
      await tx.deleteItem('thr_1', 'a')
      // Not when it is done again: by then nobody may have to wait.
      if (deleted === undefined) {
        deleted = mine.deleteThread('thr_1')
        await aWait(pool)
      }
      await tx.addItem('thr_1', { id: 'c', thread_id: 'thr_1', created_at, type: 'end_of_turn' })
    })
    // Which of them PostgreSQL undoes is its own choice; undone, the transaction comes after the thread has gone.
    await added.catch(error => t.match(error, { code: 'FST_CHATKIT_THREAD_NOT_FOUND' }))
    await deleted
    t.equal(await mine.findThread('thr_1'), null)
  }
)

t.test('what PostgreSQL undoes again and again is given up', async t => {
  const pool = await migratedDatabase(t)
  let attempts = 0
  const mine = postgresThreadStore(pool).forOwner('ada')
  const undoing = mine.transaction(async tx => {
    attempts++
    await tx.saveThread({ id: 'thr_1', created_at, status: { type: 'active' }, metadata: {} })
    throw Object.assign(new Error('could not serialize access'), { code: '40001' })
  })
  await t.rejects(undoing, { code: '40001' })
  t.equal(attempts, 5)
  t.equal(await mine.findThread('thr_1'), null)
})

/** Ada's thread `thr_1` of the items `a` and `b`, and a session that is none of the store's. */
async function twoSessions(t: Test, options = '') {
  const pool = await migratedDatabase(t)
  const ours = new pg.Pool({ ...pool.options, options })
  const someoneElse = new pg.Client(pool.options)
  await someoneElse.connect()
  t.teardown(async () => {
    await someoneElse.end()
    await ours.end()
  })
  const mine = postgresThreadStore(ours).forOwner('ada')
  await mine.saveThread({ id: 'thr_1', created_at, status: { type: 'active' }, metadata: {} })
  for (const id of ['a', 'b']) await mine.addItem('thr_1', { id, thread_id: 'thr_1', created_at, type: 'end_of_turn' })
  return { pool, mine, someoneElse }
}

/** Until one session waits for a lock of another. */
async function aWait(pool: pg.Pool) {
  const waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  while ((await pool.query(waiting)).rowCount === 0) await sleep(5)
}
