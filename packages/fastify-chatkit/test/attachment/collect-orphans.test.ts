import { setTimeout as sleep } from 'node:timers/promises'
import { type AttachmentStore, collectOrphans, postgresThreadStore } from 'fastify-chatkit'
import t, { type Test } from 'tap'
import { attachmentApp, put } from '../fixtures/attachment-app.ts'
import { create } from '../fixtures/build-app.ts'
import { migratedDatabase } from '../fixtures/database.ts'

const day = 24 * 60 * 60 * 1000

async function withPostgres(t: Test) {
  const pool = await migratedDatabase(t)
  const chat = await attachmentApp(t, { threadStore: postgresThreadStore(pool) })
  const { threadStore, store, announce, json } = chat
  const collect = (days = 2, more: object = {}) =>
    collectOrphans({ threadStore, attachments: store, now: () => new Date(Date.now() + days * day), ...more })
  const uploaded = async (as = 'ada') => {
    const file = await announce('a.txt', 'text/plain', 5, as)
    await put(file, 'hello')
    return file
  }
  return { ...chat, pool, collect, uploaded, use: (id: string) => json(create('see', { attachments: [id] })) }
}

t.test('deletes what no message uses, once it is old enough', async t => {
  const { collect, uploaded, use, announce, files, json } = await withPostgres(t)
  const used = await uploaded()
  const { body } = await use(used.id)
  for (const owner of ['ada', 'bob', 'Bob/../ada']) await uploaded(owner)
  await announce('never-sent.txt', 'text/plain', 5)
  t.strictSame(await collect(0), { attachments: 0, bytes: 0 })
  t.equal((await files()).length, 4)
  t.strictSame(await collect(), { attachments: 4, bytes: 0 })
  t.equal((await files()).length, 1)
  t.equal((await use(used.id)).status, 200, 'what is used stays')
  const [{ thread }] = body
  await json({ type: 'threads.delete', params: { thread_id: thread.id } })
  t.strictSame(await collect(), { attachments: 0, bytes: 0 }, 'another thread uses it still')
})

t.test('what only a deleted thread used goes as well', async t => {
  const { collect, uploaded, use, files, json } = await withPostgres(t)
  const file = await uploaded()
  const { body } = await use(file.id)
  await json({ type: 'threads.delete', params: { thread_id: body[0].thread.id } })
  t.strictSame(await collect(), { attachments: 1, bytes: 0 })
  t.strictSame(await files(), [])
  t.equal((await use(file.id)).status, 404)
})

t.test('bytes without a record go in the same run; those of broken uploads too', async t => {
  const { collect, uploaded, pool, files, directory } = await withPostgres(t)
  const file = await uploaded()
  await uploaded('bob')
  await pool.query('delete from chatkit.attachment where id = $1', [file.id])
  const { mkdir, writeFile } = await import('node:fs/promises')
  await mkdir(`${directory}/.incoming`, { recursive: true })
  await writeFile(`${directory}/.incoming/left`, 'x')
  await writeFile(`${directory}/readme.txt`, 'not ours')
  t.strictSame(await collect(2, { bytes: false }), { attachments: 1, bytes: 0 })
  t.strictSame(await collect(0), { attachments: 0, bytes: 0 })
  t.strictSame(await collect(), { attachments: 0, bytes: 2 })
  t.strictSame(await files(), [`${directory}/readme.txt`])
})

t.test('bytes that could not be deleted are found by the next run', async t => {
  const { store, threadStore, uploaded, files } = await withPostgres(t)
  await uploaded()
  let away = true
  const attachments: AttachmentStore = {
    create: store.create,
    collect: store.collect,
    delete: (attachment, owner) => (away ? Promise.reject(new Error('EIO')) : store.delete(attachment, owner))
  }
  const now = () => new Date(Date.now() + 2 * day)
  await t.rejects(collectOrphans({ threadStore, attachments, now }), /EIO/)
  t.equal((await files()).length, 1)
  away = false
  t.strictSame(await collectOrphans({ threadStore, attachments, now }), { attachments: 0, bytes: 1 })
  t.strictSame(await files(), [])
})

t.test('many of them, over more than one page, and by several at once', async t => {
  const { collect, threadStore } = await withPostgres(t)
  const mine = threadStore.forOwner('ada')
  for (let n = 0; n < 250; n += 1)
    await mine.saveAttachment({ id: `atc_${n}`, type: 'file', name: 'a', mime_type: 'a/b' })
  const counts = await Promise.all([collect(), collect(), collect()])
  t.equal(
    counts.reduce((sum, { attachments }) => sum + attachments, 0),
    250
  )
  t.strictSame(await threadStore.listUnusedAttachments(new Date(Date.now() + day), 10), [])
})

t.test('a run can be stopped', async t => {
  const { collect, uploaded, files } = await withPostgres(t)
  await uploaded()
  await t.rejects(collect(2, { signal: AbortSignal.abort() }), { name: 'AbortError' })
  t.equal((await files()).length, 1)
  await t.rejects(collect(2, { olderThanMs: -1 }), TypeError)
})

t.test('a message that is being stored keeps its attachment', async t => {
  const { pool, collect, uploaded, use, files } = await withPostgres(t)
  const file = await uploaded()
  // Holds the message in its transaction: after it has taken the attachment, before it is stored.
  const holding = await pool.connect()
  await holding.query('begin')
  await holding.query('lock table chatkit.item in access exclusive mode')
  const sent = use(file.id)
  await until(async () => {
    const { rows } = await pool.query(
      "select 1 from pg_locks where not granted and relation = 'chatkit.item'::regclass"
    )
    return rows.length === 1
  })
  const collected = collect()
  await sleep(100)
  await holding.query('commit')
  holding.release()
  t.equal((await sent).status, 200)
  t.strictSame(await collected, { attachments: 0, bytes: 0 })
  t.equal((await files()).length, 1)
})

t.test('a hundred messages and as many collections at once: an attachment is used with its bytes, or gone', async t => {
  const { collect, uploaded, use, threadStore, store } = await withPostgres(t)
  let [kept, gone] = [0, 0]
  for (let round = 0; round < 20; round += 1) {
    const uploads = await Promise.all(Array.from({ length: 5 }, () => uploaded()))
    const answers = await Promise.all(
      uploads.map(async ({ id }, n) => {
        await sleep(n * (round % 4))
        const [{ status }] = await Promise.all([use(id), collect()])
        return { id, status }
      })
    )
    for (const { id, status } of answers) {
      const record = await threadStore.forOwner('ada').findAttachment(id)
      if (status === 200) {
        kept += 1
        t.ok(record?.thread_id)
        await store.verify(record as NonNullable<typeof record>, 'ada')
      } else {
        gone += 1
        t.ok([404, 409].includes(status))
        t.equal(record, null)
      }
    }
  }
  t.ok(kept > 0, `${kept} used`)
  t.ok(gone > 0, `${gone} collected`)
})

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; await sleep(10)) if (await holds()) return
  throw new Error('It never came about')
}
