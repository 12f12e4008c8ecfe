import Fastify from 'fastify'
import { chatkit, postgresThreadStore, say } from 'fastify-chatkit'
import { openPool } from './pool.ts'
import type { Built } from './servers.ts'

/** The header by which the bench says who is asking. */
export const OWNER = 'x-owner'

/** The plugin on a Postgres store, with nobody to ask who is calling. */
export async function build({ connectionString }: { connectionString: string }): Promise<Built> {
  const pool = openPool(connectionString)
  const app = Fastify()
  await app.register(chatkit, {
    owner: request => String(request.headers[OWNER]),
    threadStore: postgresThreadStore(pool),
    respond: turn => say(turn, 'Hello')
  })
  return { app, close: () => pool.end() }
}
