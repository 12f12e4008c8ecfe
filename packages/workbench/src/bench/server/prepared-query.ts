import Fastify from 'fastify'
import { openPool } from './pool.ts'
import type { Built } from './servers.ts'

// What somebody who knows the tables would write, and no more.
const SQL = `select u.id from session s join "user" u on u.id = s."userId" where s.token = $1 and s."expiresAt" > now()`

/** One prepared query a request, by hand: a raw session token, no signature, no ban, no error worth the name. */
export async function build({ connectionString }: { connectionString: string }): Promise<Built> {
  const pool = openPool(connectionString)
  const app = Fastify()
  app.get('/me', async (request, reply) => {
    const token = request.headers.authorization?.slice('Bearer '.length)
    const { rows } = await pool.query<{ id: string }>({ name: 'session', text: SQL, values: [token] })
    const [user] = rows
    if (user === undefined) return reply.code(401).send()
    return { id: user.id }
  })
  return { app, close: () => pool.end() }
}
