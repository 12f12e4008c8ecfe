import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createTestDatabase } from 'embedded-database/testing'
import pg from 'pg'
import t from 'tap'
import { LOOKUP_CHANNEL, lookups } from '../../src/identity/lookups.ts'
import { prepared } from '../../src/identity/sql.ts'

t.test('look-ups of one turn are one query', async t => {
  const database = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: database.connectionString, max: 4 })
  t.teardown(async () => {
    await pool.end()
    await database.close()
  })
  await pool.query(`create table thing (id int primary key, uid uuid, label text);
    insert into thing select n, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'thing ' || n from generate_series(1, 500) n`)
  const sent: unknown[][] = []
  const counting = {
    query: (statement: pg.QueryConfig) => {
      sent.push(statement.values ?? [])
      return pool.query(statement)
    }
  }
  const byId = prepared(['int4'], 'select id, label from thing where id = $1')
  const byBoth = prepared(['uuid', 'text'], 'select id from thing where uid = $1 and label = $2')
  const uid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
  const label = (row: object | null) => (row as { label?: string } | null)?.label ?? null

  t.test('each gets its own row, or none', async t => {
    const { first } = lookups(counting, { timeoutMs: 5000 })
    sent.length = 0
    const ids = ['7', '3', '999', '7', '500']
    const rows = await Promise.all(ids.map(id => first(byId, [id])))
    t.same(rows.map(label), ['thing 7', 'thing 3', null, 'thing 7', 'thing 500'])
    t.same(sent, [[['7', '3', '999', '500']]], 'equal keys are asked once')
  })

  t.test('several parameters, several statements', async t => {
    const { first } = lookups(counting, { timeoutMs: 5000 })
    const rows = await Promise.all([
      first(byBoth, [uid(1), 'thing 1']),
      first(byBoth, [uid(1), 'thing 2']),
      first(byBoth, [uid(2), 'thing 2']),
      first(byId, ['2'])
    ])
    t.same(
      rows.map(row => (row as { id?: number } | null)?.id ?? null),
      [1, null, 2, 2]
    )
  })

  t.test('a crowd is several queries', async t => {
    const { first } = lookups(counting, { timeoutMs: 5000, maxBatch: 100 })
    sent.length = 0
    const rows = await Promise.all(Array.from({ length: 450 }, (_, n) => first(byId, [String(n + 1)])))
    t.same(
      rows.map(label),
      Array.from({ length: 450 }, (_, n) => `thing ${n + 1}`)
    )
    t.same(
      sent.map(([keys]) => (keys as string[]).length),
      [100, 100, 100, 100, 50]
    )
  })

  t.test('a crowd that asks one thing does not keep others waiting', async t => {
    const { first } = lookups(counting, { timeoutMs: 5000, maxBatch: 100 })
    sent.length = 0
    await Promise.all([
      ...Array.from({ length: 450 }, (_, n) => first(byId, [String(n + 1)])),
      first(byBoth, [uid(1), 'thing 1'])
    ])
    t.equal(sent.length, 6)
    t.equal(sent[1]?.length, 2, 'the other question goes out after the first part of the crowd')
  })

  t.test('however many are asked for, the server does not plan anew', async t => {
    const client = new pg.Client({ connectionString: database.connectionString })
    await client.connect()
    t.teardown(() => client.end())
    const { first } = lookups(client, { timeoutMs: 5000 })
    let n = 0
    const next = () => String(1 + (n++ % 500))
    for (let round = 0; round < 10; round++) {
      for (const size of [1, 2, 5, 30]) {
        await Promise.all(Array.from({ length: size }, () => first(byId, [next()])))
        await Promise.all(Array.from({ length: size }, () => first(byBoth, [uid(Number(next())), 'thing'])))
      }
    }
    const { rows } = await client.query('select generic_plans::int, custom_plans::int from pg_prepared_statements')
    t.equal(rows.length, 4)
    for (const { generic_plans, custom_plans } of rows) {
      t.ok(custom_plans <= 5, 'PostgreSQL compares the first five')
      t.ok(generic_plans >= 5)
    }
  })

  t.test('it is known what was asked, and how it went', async t => {
    const { first, stats } = lookups(counting, { timeoutMs: 5000 })
    const published: unknown[] = []
    const note = (lookup: unknown) => void published.push(lookup)
    subscribe(LOOKUP_CHANNEL, note)
    t.teardown(() => unsubscribe(LOOKUP_CHANNEL, note))
    const broken = prepared(['text'], 'select * from missing where a = $1')
    const asked = Promise.allSettled([first(byId, ['1']), first(byId, ['1']), first(byId, ['2']), first(broken, ['1'])])
    await new Promise(setImmediate)
    t.match(stats, { queries: 2, underWay: 2 })
    await asked
    t.match(stats, { queries: 2, keys: 3, largestBatch: 2, failures: 1, underWay: 0 })
    t.ok(stats.totalMs > 0)
    t.match(
      new Set(published),
      new Set([
        { keys: 2, durationMs: Number, failed: false },
        { keys: 1, durationMs: Number, failed: true }
      ])
    )
  })

  t.test('what no column could hold is not asked', async t => {
    const { first } = lookups(counting, { timeoutMs: 5000 })
    sent.length = 0
    const bySmall = prepared(['int2'], 'select id from thing where id = $1::int2')
    for (const id of ['x', '1.5', '-1', '99999999999', '1\0', '']) t.equal(await first(byId, [id]), null)
    for (const id of ['x', '32768', '-1']) t.equal(await first(bySmall, [id]), null)
    t.same(sent, [])
  })

  t.test('nor does a text stand in any row whose characters its encoding does not have', async t => {
    const { rows } = await pool.query('select current_database() as name')
    const name = `${rows[0].name}_latin`
    await pool.query(`create database "${name}" template template0 encoding 'LATIN1' locale 'C'`)
    const address = new URL(database.connectionString)
    address.pathname = name
    const latin = new pg.Pool({ connectionString: address.href })
    t.teardown(async () => {
      await latin.end()
      await pool.query(`drop database "${name}"`)
    })
    const { first } = lookups(latin, { timeoutMs: 5000 })
    const statement = prepared(['text'], `select label from (values ('é')) thing (label) where label = $1`)
    t.equal(await first(statement, ['€']), null)
    t.same((await Promise.all(['é', '€', 'e'].map(text => first(statement, [text])))).map(label), ['é', null, null])
  })

  t.test('nobody joins a query that has been sent', async t => {
    const { first } = lookups(counting, { timeoutMs: 5000 })
    sent.length = 0
    const early = first(byId, ['1'])
    await new Promise(setImmediate)
    await pool.query(`update thing set label = 'changed' where id = 1`)
    const late = first(byId, ['1'])
    await early
    t.equal(label(await late), 'changed')
    t.equal(sent.length, 2)
  })

  t.test('while an answer is awaited, look-ups gather', async t => {
    const slow = prepared(['text'], 'select pg_sleep(0.2), $1::text as label')
    const turn = () => new Promise(setImmediate)

    await t.test('until it is there', async t => {
      const { first, stats } = lookups(counting, { timeoutMs: 5000, spacingMs: 60_000 })
      sent.length = 0
      const before = first(slow, ['x'])
      await turn()
      const gathered = []
      for (const id of ['5', '6', '7']) {
        gathered.push(first(byId, [id]))
        await turn()
      }
      t.equal(sent.length, 1)
      t.equal(label(await before), 'x')
      t.same((await Promise.all(gathered)).map(label), ['thing 5', 'thing 6', 'thing 7'])
      t.same(sent.slice(1), [[['5', '6', '7']]])
      t.equal(stats.underWay, 0)
      t.equal(label(await first(byId, ['4'])), 'thing 4')
    })

    await t.test('but not for long', async t => {
      const { first, stats } = lookups(counting, { timeoutMs: 5000, spacingMs: 5 })
      const before = first(slow, ['x'])
      await turn()
      t.equal(label(await first(byId, ['5'])), 'thing 5')
      t.equal(stats.underWay, 1, 'the other is still awaited')
      await before
    })
  })

  t.test('a column whose type is changed fails nobody, on a connection that knows the statement', async t => {
    const client = new pg.Client({ connectionString: database.connectionString })
    await client.connect()
    t.teardown(() => client.end())
    await client.query(
      `create table typed (id int primary key, label text); insert into typed values (1, 'one'), (2, 'two')`
    )
    const statement = prepared(['int4'], 'select id, label from typed where id = $1')
    const { first, stats } = lookups(client, { timeoutMs: 5000 })
    const askOneAndBoth = async () => [
      label(await first(statement, ['1'])),
      ...(await Promise.all([first(statement, ['1']), first(statement, ['2'])])).map(label)
    ]
    t.same(await askOneAndBoth(), ['one', 'one', 'two'])
    await client.query('alter table typed alter label type varchar(100)')
    t.same(await askOneAndBoth(), ['one', 'one', 'two'])
    t.equal(stats.failures, 0)
  })

  t.test('a column that is found to be of another type is asked for under another name', async t => {
    const client = new pg.Client({ connectionString: database.connectionString })
    await client.connect()
    t.teardown(() => client.end())
    const { first } = lookups(client, { timeoutMs: 5000 })
    for (const type of ['int4', 'int8']) {
      const statement = prepared([type], 'select id, label from thing where id = $1')
      const rows = await Promise.all([first(statement, ['3']), first(statement, ['4'])])
      t.same(rows.map(label), ['thing 3', 'thing 4'], type)
    }
  })

  t.test('a failure reaches those it belongs to', async t => {
    const { first } = lookups(counting, { timeoutMs: 5000 })
    const cast = prepared(['text'], 'select $1::text::int as id, $1::text as label')
    const broken = prepared(['text'], 'select * from missing where a = $1')
    const results = await Promise.allSettled([
      first(cast, ['1']),
      first(cast, ['poison']),
      first(cast, ['3']),
      first(broken, ['1']),
      first(byId, ['5'])
    ])
    t.same(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']
    )
  })

  t.test('a query that takes too long is given up', async t => {
    const { first } = lookups(counting, { timeoutMs: 100 })
    await t.rejects(first(prepared(['text'], 'select pg_sleep(5), $1::text'), ['1']), /not answer within 100 ms/)
    // As that of a pool does whose new connection comes to no end.
    const silent = lookups({ query: () => new Promise(() => {}) }, { timeoutMs: 100 })
    await t.rejects(silent.first(byId, ['1']), /not answer within 100 ms/)
    t.match(silent.stats, { failures: 1, underWay: 0 })
  })
})
