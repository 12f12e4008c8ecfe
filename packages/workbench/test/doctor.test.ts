import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { examineNode } from 'chatkit-host/development'
import { createTestDatabase } from 'embedded-database/testing'
import t from 'tap'
import { doctor } from '../src/doctor.ts'
import { environmentOf, openHost, run, SECRET } from './fixtures/workbench.ts'

/** What it prints, whether or not it is content. */
async function examine(environment: Record<string, string>) {
  const lines: string[] = []
  const error = await doctor([], { print: line => lines.push(line), environment }).then(
    () => null,
    (error: Error) => error.message
  )
  return { lines: lines.filter(line => !/^. (node|pnpm)/.test(line)), error }
}

t.test('pnpm run doctor finds nothing wrong beside a host that runs', async t => {
  const environment = await openHost(t)
  const lines = await run(doctor, [], { ...environment, npm_config_user_agent: 'pnpm/10.34.9 npm/? node/v20' })
  t.match(lines, [
    '✓ pnpm        10.34.9',
    `✓ node        ${process.versions.node}`,
    '✓ environment every variable can be used',
    /^✓ postgres {4}\d+/,
    /^✓ clocks {6}the database's is -?\d+ ms from ours$/,
    '✓ better-auth its tables and columns are there',
    "✓ tables      the host's own are up to date",
    `✓ port        ${environment.PORT} is where a host answers`
  ])
})

t.test('what is wrong is told with its cure', async t => {
  const server = createServer(socket => socket.destroy()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise(resolve => server.once('listening', resolve))
  const taken = String((server.address() as { port: number }).port)
  const empty = await createTestDatabase()
  t.teardown(() => empty.close())
  const good = { DATABASE_URL: empty.connectionString, BETTER_AUTH_SECRET: SECRET, PORT: taken }

  const bare = await examine(good)
  t.match(bare.lines.join('\n'), /^✗ better-auth .*table/m)
  t.match(bare.lines.join('\n'), /^✗ tables {6}.* lack the migrations .* Starting the host does it\./m)
  t.match(
    bare.lines.join('\n'),
    new RegExp(`^✗ port {8}${taken} is taken by another program: stop it, or set PORT`, 'm')
  )
  t.match(bare.error, /^\d to put right\.$/)

  const away = await examine({ ...good, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' })
  t.match(
    away.lines.join('\n'),
    /^✗ postgres {4}The database at 127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\): check DATABASE_URL/m
  )

  const cache = await examine({ ...good, REDIS_URL: 'redis://127.0.0.1:1' })
  t.match(cache.lines.join('\n'), /^✗ redis {7}cannot be used \(.*\): check REDIS_URL/m)

  const unset = await examine({ DATABASE_URL: empty.connectionString })
  t.match(unset.lines, [
    '✗ environment BETTER_AUTH_SECRET is missing: DATABASE_URL is set, so give the secret of the Better Auth application that writes to it.'
  ])
})

t.test('a Node that is too old', async t => {
  t.equal(examineNode('20.19.0').good, true)
  t.equal(examineNode('24.1.0').good, true)
  t.match(examineNode('20.18.9'), { good: false, says: '20.18.9 is too old: install Node 20.19 or later' })
})

t.test('without DATABASE_URL the embedded one is tried, and nothing is left behind', async t => {
  const { PORT: _, DATABASE_URL: __, ...rest } = await environmentOf(t)
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'))
  // PostgreSQL may run as another user.
  chmodSync(folder, 0o755)
  const { TMPDIR } = process.env
  process.env.TMPDIR = folder
  t.teardown(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
    rmSync(folder, { recursive: true, force: true })
  })
  const { lines, error } = await examine({ ...rest, PORT: '0', DATA_DIR: join(folder, 'data') })
  t.match(lines, [/^✓ environment/, /^✓ postgres {4}18/, /^✓ clocks/, /^✓ port/])
  t.equal(error, null)
  t.same(readdirSync(folder), [])
  t.same(clustersOf(folder), [], 'nor where root keeps what its server cannot reach')
})

/** Databases that stand aside for a data directory below this folder. */
function clustersOf(folder: string): string[] {
  const aside = '/var/lib/embedded-database'
  const names = existsSync(aside) ? readdirSync(aside) : []
  return names.filter(name => {
    const origin = join(aside, name, 'origin')
    return existsSync(origin) && readFileSync(origin, 'utf8').startsWith(folder)
  })
}
