import pg from 'pg'
import t from 'tap'
import { reset } from '../src/reset.ts'
import { say } from '../src/say.ts'
import { environmentOf, run } from './fixtures/workbench.ts'

t.test('pnpm db:reset empties what people left, and seeds Ada and Bob', async t => {
  const environment = await environmentOf(t)
  await run(say, ['hello', '--user', 'carol'], environment)
  const pool = new pg.Pool({ connectionString: environment.DATABASE_URL, max: 1 })
  t.teardown(() => pool.end())
  const emails = async () => (await pool.query('select email from "user" order by 1')).rows.map(({ email }) => email)
  const items = async () => (await pool.query('select count(*)::int as count from chatkit.item')).rows[0].count
  t.same([await emails(), (await items()) > 0], [['carol@example.com'], true])

  const lines = await run(reset, [], environment)
  t.match(lines[0], /^Emptied: .*chatkit\.item.*"user".*session/)
  t.same(lines.slice(1), ['Seeded: ada@example.com', 'Seeded: bob@example.com'])
  t.same([await emails(), await items()], [['ada@example.com', 'bob@example.com'], 0])
  const said = await run(say, ['still works'], environment)
  t.match(said.at(-1), /thread\.item\.done/)
})

t.test('it refuses unless the database is on this machine', async t => {
  const good = { BETTER_AUTH_SECRET: 'a-secret-of-at-least-thirty-two-bytes' }
  const cases: [environment: Record<string, string>, message: RegExp][] = [
    [{ DATABASE_URL: 'postgres://me@db.example.com/app' }, /at db\.example\.com, not on this machine/],
    [{ DATABASE_URL: 'postgres://me@localhost.example.com/app' }, /not on this machine/],
    [{ DATABASE_URL: 'postgres://me@127.0.0.1/app?host=db.example.com' }, /at db\.example\.com, not on this machine/],
    [{ DATABASE_URL: 'postgres://me@127.0.0.1/app', NODE_ENV: 'production' }, /NODE_ENV is production/]
  ]
  for (const [environment, message] of cases) await t.rejects(run(reset, [], { ...good, ...environment }), { message })
  // A URL without a host leaves it to the variable that every client of PostgreSQL heeds.
  process.env.PGHOST = 'db.example.com'
  t.teardown(() => delete process.env.PGHOST)
  await t.rejects(run(reset, [], { ...good, DATABASE_URL: 'postgres:///app' }), {
    message: /at db\.example\.com, not on this machine/
  })
  await t.rejects(run(reset, [], { DATA_DIR: t.testdir() }), { message: /There is no database in .* yet/ })
})
