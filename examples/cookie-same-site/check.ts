// Starts the app's sign-in and the API on a throw-away database (or on DATABASE_URL's), walks through them as a browser
// would, and fails if anything is not so.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { createTestDatabase } from 'embedded-database/testing'
import pg from 'pg'
import { Browser } from './browser.ts'
import { buildServer } from './server.ts'

const given = process.env.DATABASE_URL
const database = given ? { connectionString: given, close: async () => {} } : await createTestDatabase()
const { connectionString } = database
const secret = randomBytes(32).toString('hex')
const pool = new pg.Pool({ connectionString })

// app.example.test: Better Auth, whose cookie is for all of example.test.
const signInServer = createServer().listen(0, '127.0.0.1')
await once(signInServer, 'listening')
const page = `http://app.example.test:${portOf(signInServer.address())}`
const signIn = {
  secret,
  database: pool,
  baseURL: page,
  emailAndPassword: { enabled: true },
  advanced: { crossSubDomainCookies: { enabled: true, domain: 'example.test' } }
}
await (await getMigrations(signIn)).runMigrations()
signInServer.on('request', toNodeHandler(betterAuth(signIn)))

// api.example.test: the API.
const app = await buildServer({ secret, connectionString, pages: [page] })
try {
  await app.listen({ port: 0, host: '127.0.0.1' })
  const api = `http://api.example.test:${portOf(app.server.address())}`
  const evil = 'https://evil.test'
  const browser = new Browser()

  const before = await browser.fetch(page, `${api}/me`)
  assert.deepEqual([before.status, before.readable], [401, true], 'a stranger, who is told so')

  const email = `ada-${randomBytes(4).toString('hex')}@example.com`
  const json = JSON.stringify({ name: 'Ada', email, password: 'correct horse battery staple' })
  const signUp = await browser.fetch(page, `${page}/api/auth/sign-up/email`, { method: 'POST', json })
  assert.equal(signUp.status, 200)
  assert.deepEqual(browser.cookies.map(({ domain, sameSite }) => [domain, sameSite]).at(0), ['example.test', 'lax'])

  const me = await browser.fetch(page, `${api}/me`)
  assert.deepEqual([me.status, me.readable, JSON.parse(me.body).name], [200, true, 'Ada'])
  assert.equal((await browser.fetch(page, `${api}/notes`, { method: 'POST' })).status, 201)

  assert.equal((await browser.fetch(evil, `${api}/notes`, { method: 'POST' })).status, 401, 'no cookie goes along')
  const forced = await browser.fetch(evil, `${api}/notes`, { method: 'POST', always: true })
  assert.deepEqual([forced.status, forced.readable], [403, false], 'and if it did, it would be refused')
  const sibling = page.replace('//app.', '//blog.')
  assert.equal((await browser.fetch(sibling, `${api}/notes`, { method: 'POST' })).status, 403, 'same site, not trusted')
  const peek = await browser.fetch(evil, `${api}/me`, { always: true })
  assert.equal(peek.readable, false, 'nothing to read for other pages')
  const ask = await browser.fetch(evil, `${api}/notes`, { method: 'OPTIONS' })
  assert.equal(ask.readable, false, 'nor may they ask')
  console.log('cookie-same-site: all is well')
} finally {
  signInServer.closeAllConnections()
  signInServer.close()
  await app.close()
  await pool.end()
  await database.close()
}

function portOf(address: ReturnType<typeof signInServer.address>): number {
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}
