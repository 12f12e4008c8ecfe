import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CHAT_PATH, variables } from 'chatkit-host'
import { createTestDatabase } from 'embedded-database/testing'
import t from 'tap'
import { listThreads, post, said, threadOf } from './fixtures/chat.ts'
import type { Teardown } from './fixtures/host.ts'
import { bearer, signUp } from './fixtures/people.ts'

// The command itself, as it was built last: `npm test` builds first.
const bin = fileURLToPath(new URL('../bin/chatkit-host.js', import.meta.url))

interface Running {
  child: ChildProcess
  output: () => string
  /** Of the line that says where it listens. */
  url: Promise<string>
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

function run(args: string[], environment: Record<string, string> = {}): Running {
  const clean = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', LANG: 'C.UTF-8' }
  const child = spawn(process.execPath, [bin, ...args], { env: { ...clean, ...environment } })
  let output = ''
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(resolve =>
    child.once('close', (code, signal) => resolve({ code, signal }))
  )
  const url = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk
      const found = /chatkit-host listens on (\S+)[\s\S]*?\n {2}curl /.exec(output)?.[1]
      if (found !== undefined) resolve(found)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void ended.then(() => reject(new Error(`it ended:\n${output}`)))
  })
  url.catch(() => {})
  return { child, output: () => output, url, ended }
}

t.test('on an empty data directory', async t => {
  const folder = openFolder(t)
  const start = (environment = {}) => {
    const host = run([], { DATA_DIR: folder, PORT: '0', RESPONDER: 'echo', ...environment })
    t.teardown(() => host.child.kill('SIGKILL'))
    return host
  }

  const first = start()
  const url = await first.url
  const ada = await signUp(url, 'Ada')
  const answer = await post(url, bearer(ada.rawToken), { message: 'Remember this' })
  t.equal(said(answer), 'Remember this')
  const [server = 0] = serversOf(folder)
  t.ok(isAlive(server), 'PostgreSQL runs')

  first.child.kill('SIGKILL')
  await first.ended
  t.ok(await eventually(() => !isAlive(server)), 'no server outlives a killed host')

  const begun = performance.now()
  // An address of this machine alone that is not the usual one: whoever looks for the host must heed HOST.
  const HOST = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1'
  const second = start({ HOST })
  const secondUrl = await second.url
  t.comment(`second start after ${Math.round(performance.now() - begun)} ms`)
  t.same(await listThreads(secondUrl, bearer(ada.rawToken)), [threadOf(answer)], 'the thread is still there')

  await t.test('check, doctor and token work beside it', async t => {
    const environment = { DATA_DIR: folder, HOST, PORT: new URL(secondUrl).port }
    const command = async (...args: string[]) => {
      const { ended, output } = run(args, environment)
      return { code: (await ended).code, output: output() }
    }
    const [check, doctor, token] = await Promise.all([
      command('check'),
      command('doctor'),
      command('token', '--user', 'grace')
    ])
    t.equal(check.code, 0, check.output)
    t.match(check.output, /^✓ database\n✓ tables\n✓ authentication\n/)
    t.equal(doctor.code, 0, doctor.output)
    t.match(doctor.output, /^✓ postgres {4}embedded, open in a host that runs$/m)
    t.match(doctor.output, /^✓ port .* is where a host answers$/m)
    t.equal(token.code, 0, token.output)
    t.equal((await post(secondUrl, bearer(token.output.trim()), { message: 'Hello' })).status, 200)
  })

  await t.test('the quick start’s lines for a terminal stream an answer', async t => {
    const page = readFileSync(new URL('../../../docs/quickstart.md', import.meta.url), 'utf8')
    const lines = /^```sh\n(TOKEN=[\s\S]*?)```/m.exec(page)?.[1] ?? ''
    const script = lines
      .replace('npx chatkit-host token', `"${process.execPath}" "${bin}" token --user grace`)
      .replace('http://127.0.0.1:3000', secondUrl)
    const environment = { PATH: process.env.PATH, DATA_DIR: folder, HOST, PORT: new URL(secondUrl).port }
    const child = spawn('/bin/sh', ['-ec', script], { env: environment })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
    t.equal(await new Promise(resolve => child.once('close', resolve)), 0, output)
    t.match(output, /^data: \{"type":"thread.created"[\s\S]*"thread.item.done".*"assistant_message"/)
  })

  await t.test('SIGTERM ends open streams, PostgreSQL, and then the host', async t => {
    const reply = await fetch(`${secondUrl}${CHAT_PATH}`, {
      method: 'POST',
      headers: { ...bearer(ada.rawToken), 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'word '.repeat(15_000) })
    })
    const reader = reply.body?.getReader()
    t.equal((await reader?.read())?.done, false)
    second.child.kill('SIGTERM')
    // A connection that is cut off would reject here.
    for (let end = false; !end; ) end = (await reader?.read())?.done ?? true
    t.same(await second.ended, { code: 0, signal: null }, second.output())
    t.match(second.output(), /SIGTERM: closing/)
    t.same(serversOf(folder), [])
  })
})

t.test('in production every line is JSON, from the first to the last', async t => {
  const database = await createTestDatabase()
  t.teardown(() => database.close())
  const { child, output, ended } = run([], {
    NODE_ENV: 'production',
    DATABASE_URL: database.connectionString,
    BETTER_AUTH_SECRET: 'k9Xv2mQ7pL4tR8wZ1nB6cY3hF5jD0sGa',
    BETTER_AUTH_MOUNT: '1',
    BETTER_AUTH_URL: 'https://chat.example.com',
    RESPONDER: 'echo',
    PORT: '0'
  })
  t.teardown(() => child.kill('SIGKILL'))
  t.ok(await eventually(() => output().includes('chatkit-host listens on')), output())
  child.kill('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
  const lines = output().trim().split('\n')
  t.ok(lines.length > 3)
  for (const line of lines) t.match(JSON.parse(line), { level: Number, time: Number, msg: String })
})

t.test('commands', async t => {
  await t.test('--help names every variable', async t => {
    const { ended, output } = run(['--help'])
    t.equal((await ended).code, 0)
    for (const name of Object.keys(variables)) t.match(output(), new RegExp(`^  ${name}$`, 'm'))
    for (const name of ['start', 'migrate', 'check', 'doctor', 'token']) {
      t.match(output(), new RegExp(`^  ${name}\\b.* {2}\\w`, 'm'))
    }
    for (const { fallback } of Object.values(variables)) t.ok(output().includes(`default: ${fallback}`))
  })

  await t.test('--version is the package’s', async t => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    const { ended, output } = run(['--version'])
    t.equal((await ended).code, 0)
    t.equal(output(), `${version}\n`)
  })

  await t.test('migrate makes the tables and ends', async t => {
    const folder = openFolder(t)
    const first = run(['migrate'], { DATA_DIR: folder })
    t.equal((await first.ended).code, 0, first.output())
    t.match(first.output(), /Made Better Auth's tables: .*session[\s\S]*The tables are up to date\.\n$/)
    const second = run(['migrate'], { DATA_DIR: folder })
    t.equal((await second.ended).code, 0, second.output())
    t.notMatch(second.output(), /Made/)
    t.same(serversOf(folder), [])
  })

  const own = {
    DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/d',
    BETTER_AUTH_SECRET: 'k9Xv2mQ7pL4tR8wZ1nB6cY3hF5jD0sGa'
  }
  await t.test('anything else is one sentence and exit code 1', async t => {
    const cases: [string[], Record<string, string>, RegExp][] = [
      [['serve'], {}, /^chatkit-host does not know "serve": run chatkit-host --help .*\.\n$/],
      [['migrate', '--now'], {}, /^Unexpected argument '--now'|^Usage: chatkit-host migrate\n$/],
      [['check'], { PORT: '1' }, /^No host answers at http:\/\/127\.0\.0\.1:1 \(.*\): is it running, .*\n$/],
      [['token'], { ...own, NODE_ENV: 'production' }, /^NODE_ENV is production: nobody is signed in by .*\n$/],
      [['token', '--ttl', 'soon'], {}, /^--ttl soon is no time: .*\n$/],
      [[], { PORT: 'http' }, /^PORT is "http": write a number from 0 to 65535\.\n$/],
      [[], { PORT: 'x', HOST: '?' }, /^HOST is "\?": .*\nPORT is "x": .*\n$/],
      [['migrate'], own, /^The database at 127.0.0.1:1 cannot be reached \(ECONNREFUSED\): .*\n$/]
    ]
    await Promise.all(
      cases.map(async ([args, environment, sentence]) => {
        const { ended, output } = run(args, environment)
        t.same(await ended, { code: 1, signal: null })
        t.match(output(), sentence)
      })
    )
  })
})

/** A folder like one made by hand: for a server that runs as another user, it may be entered. */
function openFolder(t: Teardown): string {
  const folder = mkdtempSync(join(tmpdir(), 'chatkit-host-'))
  chmodSync(folder, 0o755)
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** Process ids of the PostgreSQL servers that hold a folder's data, and live. */
function serversOf(folder: string): number[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('postmaster.pid'))
    .map(name => Number(readFileSync(join(folder, name), 'utf8').split('\n', 1)[0]))
    .filter(isAlive)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function eventually(check: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if (check()) return true
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return false
}
