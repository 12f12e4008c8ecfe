import Fastify from 'fastify'
import type { Built } from './servers.ts'

/** What Fastify itself costs: no credential is read, the answer is as long as the others'. */
export async function build({ id }: { id: string }): Promise<Built> {
  const app = Fastify()
  app.get('/me', async () => ({ id }))
  return { app }
}
