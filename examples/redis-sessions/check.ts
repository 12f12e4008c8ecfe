// Starts the server on a throw-away database (or on DATABASE_URL's) and a throw-away Redis, walks through it, and fails if
// anything is not so. Without redis-server it is skipped, except with REQUIRE_REDIS=1, as in CI.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type BetterAuthOptions, betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { createTestDatabase } from 'embedded-database/testing'
import { Redis } from 'ioredis'
import pg from 'pg'
import { isInstalled, startRedis } from './redis-server.ts'
import { buildServer } from './server.ts'

if (!isInstalled() && process.env.REQUIRE_REDIS !== '1') {
  console.log('SKIPPED: redis-server is not installed, so NOTHING about sessions in Redis was checked.')
  process.exit(0)
}
const redis = await startRedis()
const given = process.env.DATABASE_URL
const database = given ? { connectionString: given, close: async () => {} } : await createTestDatabase()
const { connectionString } = database
const secret = randomBytes(32).toString('hex')

// The application that signs people in.
const pool = new pg.Pool({ connectionString })
const client = new Redis(redis.path)
// It is told when Redis goes away, below.
client.on('error', () => {})
const key = (name: string) => `better-auth:${name}`
const signIn = {
  secret,
  database: pool,
  baseURL: 'http://localhost:3000',
  emailAndPassword: { enabled: true },
  secondaryStorage: {
    get: name => client.get(key(name)),
    getAndDelete: name => client.getdel(key(name)),
    async increment(name, seconds) {
      const count = await client.incr(key(name))
      if (count === 1) await client.expire(key(name), seconds)
      return count
    },
    set: async (name, value, seconds) =>
      void (await (seconds ? client.setex(key(name), seconds, value) : client.set(key(name), value))),
    delete: async name => void (await client.del(key(name)))
  }
} satisfies BetterAuthOptions
await (await getMigrations(signIn)).runMigrations()
const auth = betterAuth(signIn)

const app = await buildServer({ secret, connectionString, redis: redis.path })
try {
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const email = `ada-${randomBytes(4).toString('hex')}@example.com`
  const { headers, response } = await auth.api.signUpEmail({
    body: { name: 'Ada', email, password: 'correct horse battery staple' },
    returnHeaders: true
  })
  const cookie = headers
    .getSetCookie()
    .map(line => line.split(';')[0])
    .join('; ')
  const { rows } = await pool.query(`select to_regclass('session') as found`)
  assert.equal(rows[0].found, null, 'Postgres has no table of sessions')

  assert.equal((await me({})).status, 401)
  assert.equal((await me({ authorization: 'Bearer made-up' })).status, 401)
  assert.equal((await me({ authorization: `Bearer ${response.token}` })).status, 200)
  assert.equal(JSON.parse(await (await me({ cookie })).text()).name, 'Ada')
  await pool.query(`update "user" set name = 'Ada L.' where id = $1`, [response.user.id])
  assert.equal(JSON.parse(await (await me({ cookie })).text()).name, 'Ada L.', 'a change in Postgres counts at once')

  await auth.api.signOut({ headers: new Headers({ cookie }) })
  assert.equal((await me({ cookie })).status, 401, 'signed out at once')
  await redis.close()
  assert.equal((await me({ cookie })).status, 503, 'an outage is not a 401')
  console.log('redis-sessions: all is well')

  async function me(sent: Record<string, string>): Promise<Response> {
    return fetch(`${url}/me`, { headers: sent })
  }
} finally {
  client.disconnect()
  await app.close()
  await pool.end()
  await redis.close()
  await database.close()
}
