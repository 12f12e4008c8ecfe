import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningHost, readConfig, startHost } from 'chatkit-host'
import { secretOf, signIn } from 'chatkit-host/development'
import { createTestDatabase } from 'embedded-database/testing'
import t from 'tap'
import { listThreads, post, said, threadOf } from './fixtures/chat.ts'
import { openHost, secret } from './fixtures/host.ts'
import { bearer } from './fixtures/people.ts'

t.test('the demo', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'chatkit-host-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const start = async (environment = {}): Promise<RunningHost & { lines: string[] }> => {
    const lines: string[] = []
    const config = readConfig({ DATA_DIR: folder, PORT: '0', LOG_LEVEL: 'error', RESPONDER: 'echo', ...environment })
    return { ...(await startHost(config, text => lines.push(...text.split('\n')))), lines }
  }
  const find = (lines: string[], what: RegExp) => lines.map(line => what.exec(line)?.[1]).find(Boolean) ?? ''

  const first = await start()
  const token = find(first.lines, /session token +(\S+)/)
  t.ok(first.lines.includes(`chatkit-host listens on ${first.url}`))
  t.ok(
    first.lines.some(line =>
      line.startsWith(`  curl -N ${first.url}/support/chatkit -H 'Authorization: Bearer ${token}'`)
    )
  )

  let thread = ''
  for (const name of ['session token', 'HS256 token', 'JWT']) {
    const headers = bearer(find(first.lines, new RegExp(`${name} +(\\S+)`)))
    const answer = await post(first.url, headers)
    t.equal(said(answer), 'Hello', `the ${name} works`)
    thread = threadOf(answer)
  }
  const [, claims = ''] = find(first.lines, /JWT +(\S+)/).split('.')
  t.equal(JSON.parse(Buffer.from(claims, 'base64url').toString()).iss, 'http://127.0.0.1', 'whatever port was free')

  await t.test('secrets are for this user alone', async t => {
    t.same(readdirSync(folder).sort(), ['better-auth-secret', 'demo-user.json', 'postgres'])
    for (const name of ['better-auth-secret', 'demo-user.json']) {
      t.equal((statSync(join(folder, name)).mode & 0o777).toString(8), '600', name)
    }
  })

  await t.test('a second host on the same data is refused', async t => {
    await t.rejects(start(), { name: 'StartError' })
    t.equal((await post(first.url, bearer(token))).status, 200, 'the first goes on')
  })

  await first.close()
  const second = await start()
  await t.test('everything is there at the next start', async t => {
    t.equal(said(await post(second.url, bearer(token))), 'Hello', 'even the session')
    t.ok((await listThreads(second.url, bearer(find(second.lines, /session token +(\S+)/)))).includes(thread))
    t.notOk(
      second.lines.some(line => line.startsWith('Made ')),
      'no table is made twice'
    )
  })
  await second.close()

  await t.test('a demo user whose password is lost is replaced', async t => {
    rmSync(join(folder, 'demo-user.json'))
    const third = await start()
    t.match(find(third.lines, /<(.+)>/), /^demo-[0-9a-f]{8}@example\.com$/)
    t.equal(said(await post(third.url, bearer(find(third.lines, /session token +(\S+)/)))), 'Hello')
    await third.close()
  })

  await t.test('where browsers know it by another address, it is signed in as from there', async t => {
    const environment = { DATA_DIR: folder, PORT: '0', BETTER_AUTH_URL: 'http://localhost:4000/api/auth' }
    const fourth = await start(environment)
    t.equal(said(await post(fourth.url, bearer(find(fourth.lines, /session token +(\S+)/)))), 'Hello')
    t.ok(fourth.lines.includes('Open http://localhost:4000 in a browser and sign up, or paste:'))
    const config = readConfig(environment)
    const grace = await signIn({ url: fourth.url, config, secret: secretOf(config) }, 'grace')
    t.equal(said(await post(fourth.url, bearer(grace.token))), 'Hello', 'as somebody of chatkit-host token is')
    await fourth.close()
  })
})

t.test('a host that is closed while it reads its documents has nothing to complain of', async t => {
  const host = await openHost(t, { RESPONDER: 'help-centre', LOG_LEVEL: 'warn' })
  await host.close()
  t.same(host.log, [])
})

t.test('cannot start', async t => {
  const database = await createTestDatabase()
  t.teardown(() => database.close())
  const start = (environment: Record<string, string>) =>
    startHost(readConfig({ BETTER_AUTH_SECRET: secret, LOG_LEVEL: 'silent', PORT: '0', ...environment }), () => {})

  await t.test('without Better Auth’s tables', async t => {
    await t.rejects(start({ DATABASE_URL: database.connectionString }), {
      name: 'StartError',
      message: /has no Better Auth tables .* BETTER_AUTH_MOUNT=1/
    })
  })

  await t.test('on a port that is taken', async t => {
    const other = createServer()
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    t.teardown(() => other.close())
    const { port } = other.address() as { port: number }
    const environment = { DATABASE_URL: database.connectionString, BETTER_AUTH_MOUNT: '1', PORT: String(port) }
    await t.rejects(start(environment), {
      name: 'StartError',
      message: `Port ${port} on 127.0.0.1 is taken by another program: stop that program or choose another PORT (PORT=0 takes a free one).`
    })
  })

  await t.test('on an address this machine does not have', async t => {
    const environment = { DATABASE_URL: database.connectionString, BETTER_AUTH_MOUNT: '1', HOST: '203.0.113.1' }
    await t.rejects(start(environment), {
      name: 'StartError',
      message: /^This machine has no address 203.0.113.1: set HOST/
    })
    // Of a link, and it is not said of which.
    await t.rejects(start({ ...environment, HOST: 'fe80::1' }), {
      name: 'StartError',
      message: /^HOST is fe80::1, which cannot be listened on \(\w+\): set it to an address of this machine\.$/
    })
  })

  await t.test('in a folder that is a file', async t => {
    await t.rejects(
      startHost(readConfig({ DATA_DIR: '/dev/null', PORT: '0' }), () => {}),
      {
        name: 'StartError',
        message: /^DATA_DIR \(\/dev\/null\) cannot be used/
      }
    )
    await t.rejects(
      startHost(readConfig({ DATA_DIR: '/proc/nowhere', PORT: '0' }), () => {}),
      {
        name: 'StartError',
        message: /^DATA_DIR \(\/proc\/nowhere\) cannot be used/
      }
    )
    const elsewhere = { DATABASE_URL: database.connectionString, BETTER_AUTH_MOUNT: '1', ATTACHMENT_MB: '1' }
    for (const DATA_DIR of ['/dev/null', '/proc/nowhere'])
      await t.rejects(start({ ...elsewhere, DATA_DIR }), {
        name: 'StartError',
        message: `DATA_DIR (${DATA_DIR}) cannot be used`
      })
  })
})
