import { fileURLToPath } from 'node:url'
import postgres from '@fastify/postgres'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import betterAuthUser, { currentUser } from 'fastify-better-auth-user'

export interface ServerOptions {
  /** Where the Next.js app is: the issuer of the tokens, their audience, and the host of the keys. */
  authUrl: string | undefined
  /** The database that has Better Auth's tables. */
  connectionString: string | undefined
  logger?: FastifyServerOptions['logger']
}

/** An API that takes the tokens of `/api/auth/token`. It has no secret. Not yet listening. */
export async function buildServer({
  authUrl,
  connectionString,
  logger = false
}: ServerOptions): Promise<FastifyInstance> {
  if (!authUrl) throw new TypeError('BETTER_AUTH_URL is required')
  if (!connectionString) throw new TypeError('DATABASE_URL is required')
  const { origin } = new URL(authUrl)
  const app = Fastify({ logger })
  await app.register(postgres, { connectionString })
  app.pg.pool.on('error', error => app.log.warn(error, 'an idle database connection was lost'))
  // No secret: neither the cookie nor a signed session token can be checked, so they are refused.
  await app.register(betterAuthUser, {
    keySet: { source: `${origin}/api/auth/jwks`, issuer: origin, audience: origin }
  })
  app.get('/me', { onRequest: app.requireUser() }, async request => currentUser(request))
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { BETTER_AUTH_URL, DATABASE_URL, PORT } = process.env
  const app = await buildServer({ authUrl: BETTER_AUTH_URL, connectionString: DATABASE_URL, logger: true })
  await app.listen({ port: Number(PORT ?? 3001), host: '127.0.0.1' })
}
