import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DatabaseOptions, openDatabase as open } from 'embedded-database'
import t from 'tap'
import { findBinaries } from '../src/binaries.ts'
import { findFreePort } from '../src/port.ts'
import { holderSetting } from '../src/server.ts'
import { canEnter, chooseServerUser } from '../src/server-user.ts'
import { makeTemporaryFolder } from '../src/temporary-folder.ts'
import { query, serverProcesses } from './fixtures/query.ts'
import { allGone, runScript } from './fixtures/script.ts'

const serverUser = chooseServerUser()
const { path: root, remove } = makeTemporaryFolder(serverUser)
t.teardown(remove)

// Most need not wait for the disk, nor for a new database.
const openDatabase = (options: DatabaseOptions) => open({ durable: false, ...options })
const dataDirectory = newFolder()

function newFolder(): string {
  if (serverUser) chmodSync(root, 0o711)
  return join(root, randomUUID())
}

t.test('a folder that is not there yet becomes a database', async t => {
  const said: string[] = []
  const database = await openDatabase({ dataDirectory, onProgress: sentence => said.push(sentence) })
  t.teardown(database.close)
  const [row] = await query(
    database.connectionString,
    `select current_setting('server_version_num')::int / 10000 as major`
  )
  t.match(row, { major: 18 })
  t.same(said, ['Making a new database.'])
})

t.test('what was committed is there when it is opened again', async t => {
  for (const durable of [true, false]) {
    const first = await openDatabase({ dataDirectory, durable })
    await query(first.connectionString, `create table answer_${durable} as select 42 as answer`)
    await first.close()
    const second = await openDatabase({ dataDirectory, durable })
    t.same(await query(second.connectionString, `select answer from answer_${durable}`), [{ answer: 42 }])
    t.same(await query(second.connectionString, `select current_setting('fsync') as fsync`), [
      { fsync: durable ? 'on' : 'off' }
    ])
    await second.close()
  }
})

t.test('closing ends sessions and every process of the server, and may be done twice', async t => {
  const database = await openDatabase({ dataDirectory })
  const processes = await serverProcesses(database.connectionString, database.pid)
  t.ok(processes.length > 3)
  const busy = query(database.connectionString, 'select pg_sleep(60)').catch(error => error.code)
  await sleep(200)
  await Promise.all([database.close(), database.close()])
  t.equal(await busy, '57P01')
  await allGone(processes)
})

t.test('only who can read the password gets in', async t => {
  const database = await openDatabase({ dataDirectory })
  t.teardown(database.close)
  for (const password of ['', ':wrong']) {
    await t.rejects(query(`postgres://postgres${password}@127.0.0.1:${database.port}/postgres`, 'select 1'))
  }
  const home = join(dataDirectory, 'cluster')
  t.equal(statSync(join(home, 'password')).mode & 0o777, 0o600)
  t.equal(statSync(join(home, 'data')).mode & 0o777, 0o700)
  t.ok(database.connectionString.includes(readFileSync(join(home, 'password'), 'utf8')))
  t.same(await query(database.connectionString, 'select distinct auth_method from pg_hba_file_rules'), [
    { auth_method: 'scram-sha-256' }
  ])
  t.same(await query(database.connectionString, `select current_setting('listen_addresses') as at`), [
    { at: '127.0.0.1' }
  ])
})

t.test('the log tells of starts, never of statements', async t => {
  const lines: string[] = []
  const database = await openDatabase({ dataDirectory, log: line => lines.push(line) })
  await query(database.connectionString, 'create table safe (secret text unique)')
  await query(database.connectionString, `insert into safe values ('sesame')`)
  await t.rejects(query(database.connectionString, `insert into safe values ('sesame')`), { code: '23505' })
  await t.rejects(query(database.connectionString, `select 'sesame'::int`), { code: '22P02' })
  await database.close()
  t.match(lines.join('\n'), /ready to accept connections/)
  t.notMatch(lines.join('\n'), /sesame/)
})

t.test('the port', async t => {
  t.test('asked for is the one used', async t => {
    const port = await findFreePort()
    const database = await openDatabase({ dataDirectory, port })
    t.teardown(database.close)
    t.equal(database.port, port)
    t.match(database.connectionString, `@127.0.0.1:${port}/`)
  })
  t.test('asked for but taken is an error that says so', async t => {
    const other = createServer().listen(0, '127.0.0.1')
    t.teardown(() => other.close())
    await new Promise(resolve => other.once('listening', resolve))
    const address = other.address()
    const port = typeof address === 'object' && address ? address.port : 0
    await t.rejects(openDatabase({ dataDirectory, port }), { code: 'EDB_PORT_IN_USE', message: /in use/ })
  })
})

t.test('two at once', async t => {
  t.test('the second is turned away by the name of the first, and the first goes on', async t => {
    const { child, says, ended } = runScript('keeper.ts', [dataDirectory])
    t.teardown(() => child.kill('SIGKILL'))
    const { connectionString } = await says()
    await t.rejects(openDatabase({ dataDirectory }), {
      code: 'EDB_IN_USE',
      message: `The database in ${dataDirectory} is open in process ${child.pid}: stop that process first, or choose another data directory.`
    })
    t.same(await query(String(connectionString), 'select line from note'), [{ line: 'committed' }])
    child.kill('SIGTERM')
    await ended
    const mine = await openDatabase({ dataDirectory })
    await mine.close()
  })
  t.test('of two that make the same new database one succeeds', async t => {
    const dataDirectory = newFolder()
    // What an earlier maker that was killed has left goes with it.
    mkdirSync(join(dataDirectory, `new-${spawnSync('true').pid}-abcdef`), { recursive: true })
    if (serverUser) chmodSync(dataDirectory, 0o711)
    const results = await Promise.allSettled([1, 2].map(() => openDatabase({ dataDirectory })))
    for (const result of results) if (result.status === 'fulfilled') t.teardown(result.value.close)
    t.same(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    t.match(
      results.find(({ status }) => status === 'rejected'),
      { reason: { code: 'EDB_IN_USE' } }
    )
    t.same(readdirSync(dataDirectory), ['cluster'])
  })
})

t.test('when the process that opened it', async t => {
  t.test('is killed outright, no server is left and no commit is lost', async t => {
    const { child, says, ended } = runScript('keeper.ts', [dataDirectory, 'wait', 'last words'])
    const { connectionString, pid } = await says()
    const processes = await serverProcesses(String(connectionString), Number(pid))
    child.kill('SIGKILL')
    t.equal(await ended, 'SIGKILL')
    // At once, while the server still stops.
    const next = await openDatabase({ dataDirectory })
    t.teardown(next.close)
    t.same(await query(next.connectionString, `select line from note where line = 'last words'`), [
      { line: 'last words' }
    ])
    await t.resolves(allGone(processes))
  })
  t.test('is killed outright and nobody comes after, no server is left', async t => {
    const { child, says } = runScript('keeper.ts', [dataDirectory])
    const { connectionString, pid } = await says()
    const processes = await serverProcesses(String(connectionString), Number(pid))
    child.kill('SIGKILL')
    await t.resolves(allGone(processes))
  })
  t.test('has nothing more to do, it ends, and the server with it', async t => {
    const { says, ended } = runScript('keeper.ts', [dataDirectory, 'finish'])
    const { pid } = await says()
    t.equal(await ended, 0)
    await t.resolves(allGone([Number(pid)]))
  })
  t.test('was killed together with the watchdog, the next one stops the server', async t => {
    await (await openDatabase({ dataDirectory })).close()
    const data = join(realpathSync(dataDirectory), 'cluster', 'data')
    const dead = spawnSync('true').pid
    const settings = [`${holderSetting}=${dead}`, `port=${await findFreePort()}`, 'unix_socket_directories=']
    const orphan = spawn(
      findBinaries(serverUser).postgres,
      ['-D', data, ...settings.flatMap(setting => ['-c', setting])],
      { ...serverUser, cwd: '/', stdio: 'ignore' }
    )
    t.teardown(() => orphan.kill('SIGQUIT'))
    await sleep(500)
    const said: string[] = []
    const next = await openDatabase({ dataDirectory, onProgress: sentence => said.push(sentence) })
    t.teardown(next.close)
    t.same(said, ['Waiting for the server of a process that was killed to stop.'])
    await t.resolves(allGone([orphan.pid ?? 0]))
  })
})

t.test('a lock file', async t => {
  // PostgreSQL alone would take this one for the server.
  const stranger = spawn('sleep', ['300'], { ...serverUser, cwd: '/', stdio: 'ignore' })
  t.teardown(() => stranger.kill())
  for (const [whose, id] of [
    ['of a server that is gone', spawnSync('true').pid],
    ['whose process id now belongs to another process of the server’s user', stranger.pid],
    ['whose process id now belongs to another user’s process', 1]
  ] as const) {
    t.test(`${whose} is no hindrance`, async t => {
      await (await openDatabase({ dataDirectory })).close()
      const data = join(dataDirectory, 'cluster', 'data')
      writeFileSync(
        join(data, 'postmaster.pid'),
        `${id}\n${data}\n1790000000\n15432\n\n127.0.0.1\n  1234567   32769\nready   \n`
      )
      if (serverUser) chownSync(join(data, 'postmaster.pid'), serverUser.uid, serverUser.gid)
      const database = await openDatabase({ dataDirectory })
      t.teardown(database.close)
      t.same(await query(database.connectionString, 'select 1 as one'), [{ one: 1 }])
    })
  }
})

t.test('a folder is refused, and left as it was, when', async t => {
  t.test('it is of another major version', async t => {
    await (await openDatabase({ dataDirectory })).close()
    const file = join(dataDirectory, 'cluster', 'data', 'PG_VERSION')
    writeFileSync(file, '17\n')
    await t.rejects(openDatabase({ dataDirectory }), {
      code: 'EDB_OTHER_VERSION',
      message: `The database in ${dataDirectory} is of PostgreSQL 17 and this is PostgreSQL 18: carry it over with pg_dump from a PostgreSQL 17, choose another data directory, or remove this one.`
    })
    t.equal(readFileSync(file, 'utf8'), '17\n')
    writeFileSync(file, '18\n')
  })
  for (const [version, code] of [
    ['15', 'EDB_OTHER_VERSION'],
    ['18', 'EDB_NOT_OURS']
  ] as const) {
    t.test(`it is the data directory of some PostgreSQL ${version}`, async t => {
      const dataDirectory = newFolder()
      mkdirSync(dataDirectory)
      writeFileSync(join(dataDirectory, 'PG_VERSION'), `${version}\n`)
      await t.rejects(openDatabase({ dataDirectory }), { code })
      t.same(readdirSync(dataDirectory), ['PG_VERSION'])
    })
  }
  t.test('it is a file', async t => {
    const dataDirectory = newFolder()
    writeFileSync(dataDirectory, '')
    await t.rejects(openDatabase({ dataDirectory }), { code: 'EDB_NOT_OURS' })
  })
  t.test('its password is missing', async t => {
    await (await openDatabase({ dataDirectory })).close()
    const password = join(dataDirectory, 'cluster', 'password')
    renameSync(password, `${password}.away`)
    t.teardown(() => renameSync(`${password}.away`, password))
    await t.rejects(openDatabase({ dataDirectory }), { code: 'EDB_NOT_OURS', message: /holds no whole database/ })
  })
})

t.test('as root', { skip: serverUser ? false : 'this is not root' }, async t => {
  t.test('the server is not root', async t => {
    const database = await openDatabase({ dataDirectory })
    t.teardown(database.close)
    t.equal(statSync(join(dataDirectory, 'cluster', 'data')).uid, serverUser?.uid)
  })
  t.test('a folder closed to the server’s user will do', async t => {
    const closed = newFolder()
    mkdirSync(closed, { mode: 0o700 })
    const dataDirectory = join(closed, 'data')
    const first = await openDatabase({ dataDirectory })
    const elsewhere = realpathSync(join(dataDirectory, 'cluster'))
    t.notOk(elsewhere.startsWith(closed))
    await query(first.connectionString, 'create table note as select 42 as answer')
    await t.rejects(openDatabase({ dataDirectory }), { code: 'EDB_IN_USE' })
    await first.close()
    const second = await openDatabase({ dataDirectory })
    t.same(await query(second.connectionString, 'select answer from note'), [{ answer: 42 }])

    // Once the folder is gone, so is the cluster when the next is made; but not under a running server.
    rmSync(dataDirectory, { recursive: true })
    await (await openDatabase({ dataDirectory: join(closed, 'next') })).close()
    t.ok(existsSync(elsewhere))
    await second.close()
    const last = await openDatabase({ dataDirectory: join(closed, 'last') })
    await last.close()
    t.notOk(existsSync(elsewhere))
    for (const name of ['next', 'last']) rmSync(realpathSync(join(closed, name, 'cluster')), { recursive: true })
  })
  const nobody = { uid: 65_534, gid: 65_534 }
  const shut = [process.execPath, import.meta.filename].filter(file => !canEnter(join(file, '..'), nobody))
  t.test('an ordinary user needs no help', { skip: shut[0] ? `nobody may not enter ${shut[0]}` : false }, async t => {
    const dataDirectory = newFolder()
    mkdirSync(dataDirectory)
    chownSync(dataDirectory, nobody.uid, nobody.gid)
    const { child, says, ended } = runScript('keeper.ts', [dataDirectory], nobody)
    t.teardown(() => child.kill('SIGKILL'))
    const { connectionString, pid, uid } = await says()
    t.equal(uid, nobody.uid)
    const processes = await serverProcesses(String(connectionString), Number(pid))
    t.equal(statSync(join(dataDirectory, 'cluster', 'data')).uid, nobody.uid)
    child.kill('SIGKILL')
    await ended
    await t.resolves(allGone(processes))
    // Root after them: the server goes on as whoever it was made for.
    const next = await openDatabase({ dataDirectory })
    t.teardown(next.close)
    t.same(await query(next.connectionString, 'select * from note'), [{ line: 'committed' }])
  })
  t.test(
    'an ordinary user is told whose the folder is',
    { skip: shut[0] ? `nobody may not enter ${shut[0]}` : false },
    async t => {
      await (await openDatabase({ dataDirectory })).close()
      const { says, ended } = runScript('keeper.ts', [dataDirectory], nobody)
      t.match(await says(), { error: /belongs to another user: choose another data directory/ })
      t.equal(await ended, 1)
    }
  )
})
