import Fastify from 'fastify'
import { openPool } from './pool.ts'
import type { Built } from './servers.ts'

export interface BareSettings {
  connectionString?: string
  id: string
  /** Holds a connection to the database that nobody uses: services have one, and it is not free. */
  connected?: boolean
}

/** What Fastify itself costs: no credential is read, the answer is as long as the others'. */
export async function build({ connectionString, id, connected = false }: BareSettings): Promise<Built> {
  const app = Fastify()
  app.get('/me', async () => ({ id }))
  if (!connected || connectionString === undefined) return { app }
  const pool = openPool(connectionString)
  const client = await pool.connect()
  client.on('error', () => {})
  await client.query('select 1')
  return {
    app,
    async close() {
      client.release()
      await pool.end()
    }
  }
}
