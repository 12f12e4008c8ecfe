import fastifyJwt from '@fastify/jwt'
import Fastify from 'fastify'
import type { Built } from './servers.ts'

/** @fastify/jwt alone, with its cache of verified tokens: whatever has become of the user since, nobody asks. */
export async function build({ secret }: { secret: string }): Promise<Built> {
  const app = Fastify()
  await app.register(fastifyJwt, { secret, verify: { algorithms: ['HS256'], cache: true } })
  const guard = { onRequest: async (request: { jwtVerify(): Promise<unknown> }) => void (await request.jwtVerify()) }
  app.get('/me', guard, async request => ({ id: (request.user as unknown as { sub: string }).sub }))
  return { app }
}
