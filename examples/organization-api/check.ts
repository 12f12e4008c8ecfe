// Starts the server on a throw-away database (or on DATABASE_URL's), walks through it, and fails if anything is not so.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { organization } from 'better-auth/plugins'
import { createTestDatabase } from 'embedded-database/testing'
import pg from 'pg'
import { buildServer } from './server.ts'

const given = process.env.DATABASE_URL
const database = given ? { connectionString: given, close: async () => {} } : await createTestDatabase()
const { connectionString } = database
const secret = randomBytes(32).toString('hex')

// The application that signs people in, and where organizations are made.
const pool = new pg.Pool({ connectionString })
const signIn = {
  secret,
  database: pool,
  baseURL: 'http://localhost:3000',
  emailAndPassword: { enabled: true },
  plugins: [organization()]
}
await (await getMigrations(signIn)).runMigrations()
const auth = betterAuth(signIn)

const app = await buildServer({ secret, connectionString })
try {
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const [ada, bob, eve] = [await signUp('Ada'), await signUp('Bob'), await signUp('Eve')]
  const slug = `engine-${randomBytes(4).toString('hex')}`
  const { id: organizationId } = await auth.api.createOrganization({ body: { name: 'Engine', slug, userId: ada.id } })
  const member = await auth.api.addMember({ body: { userId: bob.id, organizationId, role: 'member' } })
  const projects = `${url}/organizations/${organizationId}/projects`

  assert.equal((await call(projects)).status, 401, 'a stranger')
  assert.equal((await call(projects, eve.token)).status, 403, 'no member')
  assert.equal((await call(projects, ada.token, { name: 'Notes' })).status, 201, 'the owner adds')
  assert.equal((await call(projects, ada.token, { name: '' })).status, 400)
  assert.equal((await call(projects, bob.token, { name: 'More' })).status, 403, 'a member does not')
  const read = await call(projects, bob.token)
  assert.equal(read.status, 200)
  assert.equal(JSON.parse(await read.text())[0].name, 'Notes', 'a member reads')
  assert.equal((await call(`${url}/organizations/none/projects`, ada.token)).status, 403, 'no such organization')

  const { rowCount } = await pool.query(`update member set role = 'admin' where id = $1`, [member?.id])
  assert.equal(rowCount, 1)
  assert.equal(
    (await call(projects, bob.token, { name: 'More' })).status,
    201,
    'an admin adds, from the next request on'
  )
  await pool.query('delete from member where id = $1', [member?.id])
  assert.equal((await call(projects, bob.token)).status, 403, 'who has left is out at once')
  console.log('organization-api: all is well')
} finally {
  await app.close()
  await pool.end()
  await database.close()
}

async function signUp(name: string): Promise<{ id: string; token: string }> {
  const email = `${name.toLowerCase()}-${randomBytes(4).toString('hex')}@example.com`
  const { token, user } = await auth.api.signUpEmail({
    body: { name, email, password: 'correct horse battery staple' }
  })
  assert.ok(token)
  return { id: user.id, token }
}

async function call(url: string, token?: string, body?: object): Promise<Response> {
  return fetch(url, {
    method: body ? 'POST' : 'GET',
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body ? { 'content-type': 'application/json' } : {})
    },
    ...(body ? { body: JSON.stringify(body) } : {})
  })
}
