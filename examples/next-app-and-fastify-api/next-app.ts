// The process of the Next.js app, as far as the API can tell: Better Auth over HTTP on /api/auth, and its secret. In Next,
// `app/api/auth/[...all]/route.ts` would be `export const { GET, POST } = toNextJsHandler(auth)`, around the same handler.
import { createServer } from 'node:http'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import pg from 'pg'
import { authOptions, createAuth } from './auth.ts'

const { BETTER_AUTH_SECRET: secret, BETTER_AUTH_URL, DATABASE_URL: connectionString, PORT } = process.env
if (!secret || !connectionString) throw new TypeError('BETTER_AUTH_SECRET and DATABASE_URL are required')
const pool = new pg.Pool({ connectionString })
pool.on('error', error => console.error(error.message))

const server = createServer()
server.listen(Number(PORT ?? 3000), '127.0.0.1', async () => {
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : PORT
  const url = BETTER_AUTH_URL ?? `http://127.0.0.1:${port}`
  await (await getMigrations(authOptions(url, secret, pool))).runMigrations()
  server.on('request', toNodeHandler(createAuth(url, secret, pool)))
  console.log(`listening on ${url}`)
})
