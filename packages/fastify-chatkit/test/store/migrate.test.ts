import { setTimeout as wait } from 'node:timers/promises'
import { checkChatkit, migrateChatkit, postgresThreadStore } from 'fastify-chatkit'
import { threadStoreContract } from 'fastify-chatkit/testing'
import pg from 'pg'
import t from 'tap'
import { migrations } from '../../src/store/migrate.ts'
import { emptyDatabase } from '../fixtures/database.ts'

const names = migrations.map(({ name }) => name)

t.test('an empty database gets everything, once', async t => {
  const pool = await emptyDatabase(t)
  t.strictSame(await migrateChatkit(pool), names)
  t.strictSame(await migrateChatkit(pool), [])
  const { rows } = await pool.query('select name from chatkit.migration order by name')
  t.strictSame(
    rows.map(row => row.name),
    names
  )
})

t.test('migrations are numbered without a gap', async t => {
  for (const [index, name] of names.entries())
    t.match(name, new RegExp(`^${String(index + 1).padStart(4, '0')}-[a-z-]+$`))
})

t.test('from every earlier version on, the store is as it should be', async t => {
  for (const to of names.slice(0, -1)) {
    const pool = await emptyDatabase(t)
    const first = await migrateChatkit(pool, { to })
    t.equal(first.at(-1), to)
    await pool.query(
      `insert into chatkit.thread (owner_id, id, created_at, status, metadata) values ('ada', 'thr_old', now(), '{"type":"active"}', '{}')`
    )
    t.strictSame([...first, ...(await migrateChatkit(pool))], names)
    const store = postgresThreadStore(pool)
    t.match(await store.forOwner('ada').findThread('thr_old'), { id: 'thr_old', status: { type: 'active' } })
    for (const { name, check } of threadStoreContract) await t.resolves(check(store), `from ${to}: ${name}`)
  }
})

t.test('a readiness probe hears which migrations are missing, and nothing of a newer version’s', async t => {
  const pool = await emptyDatabase(t)
  t.match(await checkChatkit(pool), [new RegExp(`lack the migrations ${names.join(', ')}: run migrateChatkit`)])
  await migrateChatkit(pool, { to: names[0] ?? '' })
  t.match(await checkChatkit(pool), [new RegExp(`lack the migrations ${names.slice(1).join(', ')}:`)])
  await migrateChatkit(pool)
  t.strictSame(await checkChatkit(pool), [])
  await pool.query(`insert into chatkit.migration (name, checksum) values ('9999-later', '')`)
  t.strictSame(await checkChatkit(pool), [])
  const away = new pg.Pool({ connectionString: 'postgres://127.0.0.1:1/nowhere' })
  t.match(await checkChatkit(away), [/cannot be read: ECONNREFUSED/])
  await away.end()
})

t.test('many processes at once wait for one another', async t => {
  const pool = await emptyDatabase(t)
  const applied = await Promise.all(Array.from({ length: 6 }, () => migrateChatkit(pool)))
  t.strictSame(applied.flat().toSorted(), names.toSorted(), 'each migration was applied by one of them')
})

t.test('nor does a stricter isolation by default hide what the one before applied', async t => {
  const pool = await emptyDatabase(t)
  const { rows } = await pool.query('select current_database() as name')
  await pool.query(`alter database "${rows[0].name}" set default_transaction_isolation = 'repeatable read'`)
  const strict = new pg.Pool({ ...pool.options, max: 6 })
  t.teardown(() => strict.end())
  const applied = await Promise.all(Array.from({ length: 6 }, () => migrateChatkit(strict)))
  t.strictSame(applied.flat().toSorted(), names.toSorted())
})

t.test('a migration that fails leaves nothing behind, and its connection in order', async t => {
  const pool = await emptyDatabase(t)
  await pool.query('create schema chatkit; create table chatkit.attachment (x int)')
  await t.rejects(migrateChatkit(pool), /already exists/)
  const { rows } = await pool.query(
    `select to_regclass('chatkit.thread') as thread, to_regclass('chatkit.migration') as migration`
  )
  t.strictSame(rows, [{ thread: null, migration: null }])
  await pool.query('drop table chatkit.attachment')
  t.strictSame(await migrateChatkit(pool), names)
  t.equal(pool.totalCount, pool.idleCount, 'every connection was given back')
})

t.test('an applied migration that reads otherwise, or is not known, stops everything', async t => {
  const pool = await emptyDatabase(t)
  await migrateChatkit(pool)
  await pool.query(`update chatkit.migration set checksum = 'other' where name = $1`, [names[0]])
  await t.rejects(migrateChatkit(pool), {
    code: 'FST_CHATKIT_MIGRATION_CHANGED',
    message: new RegExp(String(names[0]))
  })
  await pool.query(`insert into chatkit.migration (name, checksum) values ('9999-from-the-future', 'x')`)
  await t.rejects(migrateChatkit(pool), { code: 'FST_CHATKIT_MIGRATION_NEWER', message: /9999-from-the-future/ })
})

t.test('schemas of any name live side by side, also for one who may not create any', async t => {
  const pool = await emptyDatabase(t)
  for (const schema of ['public', 'My "Schema"; drop schema public; --']) {
    t.strictSame(await migrateChatkit(pool, { schema }), names)
    const mine = postgresThreadStore(pool, { schema }).forOwner('ada')
    await mine.saveThread({ id: schema, created_at: '2026-01-01T00:00:00Z', status: { type: 'active' }, metadata: {} })
    t.strictSame(
      (await mine.listThreads({ limit: 9, order: 'asc' })).data.map(thread => thread.id),
      [schema]
    )
  }
  for (const schema of ['', 'a\0b', 'x'.repeat(64)]) await t.rejects(migrateChatkit(pool, { schema }), TypeError)
  const role = `chatkit_test_${process.pid}`
  await pool.query(`create role ${role}; create schema given authorization ${role}`)
  // Somebody who may use the schema they were given, and make none.
  const modest = new pg.Pool({ connectionString: pool.options.connectionString, options: `-c role=${role}` })
  try {
    t.strictSame(await migrateChatkit(modest, { schema: 'given' }), names)
    await t.rejects(migrateChatkit(modest, { schema: 'not_given' }), /permission denied/)
  } finally {
    await modest.end()
    await pool.query(`drop owned by ${role}; drop role ${role}`)
  }
})

t.test('a page costs what it reads: an index range, no sort', async t => {
  const pool = await emptyDatabase(t)
  await migrateChatkit(pool)
  await pool.query(`
    insert into chatkit.thread (owner_id, id, created_at, status, metadata)
    select owner, 'thr_' || n, now(), '{"type":"active"}', '{}' from unnest(array['ada', 'bob']) owner, generate_series(1, 2000) n;
    insert into chatkit.item (owner_id, thread_id, id, type, created_at, data)
    select 'ada', 'thr_' || (n % 2 + 1), 'msg_' || n, 'end_of_turn', now(), '{}' from generate_series(1, 20000) n;
    analyze chatkit.thread; analyze chatkit.item`)
  const asked: { text: string; values: unknown[] }[] = []
  const watched = {
    connect: () => pool.connect(),
    query(text: string, values: unknown[] = []) {
      asked.push({ text, values })
      return pool.query(text, values)
    }
  }
  const mine = postgresThreadStore(watched).forOwner('ada')
  await mine.listItems('thr_1', { limit: 20, order: 'desc' })
  await mine.listItems('thr_1', { limit: 20, order: 'asc', after: 'msg_10000' })
  await mine.listThreads({ limit: 20, order: 'desc' })
  await mine.listThreads({ limit: 20, order: 'desc', after: 'thr_50' })
  t.equal(asked.length, 4, 'one query a page')
  for (const { text, values } of asked) {
    const { rows } = await pool.query(`explain (analyze, format json) ${text}`, values)
    const plan = JSON.stringify(rows[0])
    t.notMatch(plan, /"Sort"|"Seq Scan"/)
    t.match(plan, /_order"/)
    const read = [...plan.matchAll(/"Actual Rows":([\d.]+)/g)].map(match => Number(match[1]))
    t.ok(Math.max(...read) <= 21, `${Math.max(...read)} rows were read`)
  }
})

t.test('a database that goes away in the middle of a transaction takes nothing with it', async t => {
  const pool = await emptyDatabase(t)
  await migrateChatkit(pool)
  const mine = postgresThreadStore(pool).forOwner('ada')
  const thread = { id: 'thr_1', created_at: '2026-01-01T00:00:00Z', status: { type: 'active' as const }, metadata: {} }
  await t.rejects(
    mine.transaction(async tx => {
      await tx.saveThread(thread)
      await pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state = 'idle in transaction'`
      )
      await wait(50)
      await tx.saveThread({ ...thread, id: 'thr_2' })
    })
  )
  t.equal(await mine.findThread('thr_1'), null, 'the store goes on with other connections')
  await mine.saveThread(thread)
  await wait(20)
  t.equal(pool.totalCount, pool.idleCount, 'the broken connection was given back once, to be closed')
})
