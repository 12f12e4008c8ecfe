// Starts both processes on a throw-away database (or on DATABASE_URL's), walks through them, and fails if anything is not so.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTestDatabase } from 'embedded-database/testing'

const given = process.env.DATABASE_URL
const database = given ? { connectionString: given, close: async () => {} } : await createTestDatabase()
const shared = { PATH: process.env.PATH, DATABASE_URL: database.connectionString, PORT: '0' }
const children: ChildProcess[] = []
process.on('exit', () => void children.map(child => child.kill('SIGKILL')))

try {
  const next = await start('next-app.ts', { ...shared, BETTER_AUTH_SECRET: randomBytes(32).toString('hex') })
  const api = await start('server.ts', { ...shared, BETTER_AUTH_URL: next.url })

  const email = `ada-${randomBytes(4).toString('hex')}@example.com`
  const signUp = await post('/sign-up/email', { name: 'Ada', email, password: 'correct horse battery staple' })
  assert.equal(signUp.status, 200)
  const cookie = signUp.headers
    .getSetCookie()
    .map(line => line.split(';')[0])
    .join('; ')
  const { token } = JSON.parse(await (await fetch(`${next.url}/api/auth/token`, { headers: { cookie } })).text())
  assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/)

  const me = await ask({ authorization: `Bearer ${token}` })
  assert.equal(me.status, 200)
  assert.equal(JSON.parse(await me.text()).email, email)
  const [head, , signature] = token.split('.')
  const forged = Buffer.from(JSON.stringify({ sub: 'somebody else' })).toString('base64url')
  assert.equal((await ask({})).status, 401)
  assert.equal((await ask({ authorization: `Bearer ${head}.${forged}.${signature}` })).status, 401)
  assert.equal((await ask({ cookie })).status, 401, 'the cookie, which the API has no secret to check')

  assert.equal((await post('/sign-out', {}, { cookie })).status, 200)
  const gone = await ask({ authorization: `Bearer ${token}` })
  assert.equal(gone.status, 404, 'a genuine token, but its session has ended')

  const again = await post('/sign-in/email', { email, password: 'correct horse battery staple' })
  const fresh = again.headers
    .getSetCookie()
    .map(line => line.split(';')[0])
    .join('; ')
  const reply = await fetch(`${next.url}/api/auth/token`, { headers: { cookie: fresh } })
  const second = JSON.parse(await reply.text()).token
  await stop(next.child)
  assert.equal((await ask({ authorization: `Bearer ${second}` })).status, 200, 'while the other process is down')
  console.log('next-app-and-fastify-api: all is well')

  async function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${next.url}/api/auth${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: next.url, ...headers },
      body: JSON.stringify(body)
    })
  }
  async function ask(headers: Record<string, string>): Promise<Response> {
    return fetch(`${api.url}/me`, { headers })
  }
} finally {
  await Promise.all(children.map(stop))
  await database.close()
}

/** A process of its own, once it says where it listens. */
async function start(file: string, env: NodeJS.ProcessEnv): Promise<{ child: ChildProcess; url: string }> {
  const cwd = dirname(fileURLToPath(import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', file], { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  let output = ''
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    output += String(chunk)
    const url = /listening (?:on|at) (http:\/\/[\w.:]+)/i.exec(output)?.[1]
    if (url === undefined) continue
    child.stdout.resume()
    return { child, url }
  }
  throw new Error(`${file} did not start: ${output}`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill()
  await once(child, 'exit')
}
