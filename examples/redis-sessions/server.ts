import { fileURLToPath } from 'node:url'
import postgres from '@fastify/postgres'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import betterAuthUser, { currentUser, postgresUserStore, secondaryStorageIdentityStore } from 'fastify-better-auth-user'
import { Redis } from 'ioredis'

export interface ServerOptions {
  /** BETTER_AUTH_SECRET of the application that signs people in. */
  secret: string | undefined
  /** Where its users are. */
  connectionString: string | undefined
  /** Where its sessions are: `redis://…`, or the path of a socket. */
  redis: string | undefined
  logger?: FastifyServerOptions['logger']
}

/** Sessions from Redis, users from Postgres. Not yet listening. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { secret, connectionString, redis, logger = false } = options
  if (!secret) throw new TypeError('BETTER_AUTH_SECRET is required')
  if (!connectionString) throw new TypeError('DATABASE_URL is required')
  if (!redis) throw new TypeError('REDIS_URL is required')
  const app = Fastify({ logger })
  await app.register(postgres, { connectionString })
  app.pg.pool.on('error', error => app.log.warn(error, 'an idle database connection was lost'))

  // While Redis is away a request fails at once, and is answered 503.
  const storage = new Redis(redis, { maxRetriesPerRequest: 1 })
  storage.on('error', error => app.log.warn(error, 'Redis'))
  app.addHook('onClose', async () => storage.disconnect())

  await app.register(betterAuthUser, {
    secret,
    identityStore: secondaryStorageIdentityStore({
      storage,
      // As Better Auth's own secondaryStorage writes it.
      prefix: 'better-auth:',
      // Asked for each user, so that a ban or another name counts at once; without it, the copy in Redis does.
      users: postgresUserStore(app.pg)
    })
  })
  app.get('/me', { onRequest: app.requireUser() }, async request => currentUser(request))
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { BETTER_AUTH_SECRET, DATABASE_URL, REDIS_URL, PORT } = process.env
  const app = await buildServer({
    secret: BETTER_AUTH_SECRET,
    connectionString: DATABASE_URL,
    redis: REDIS_URL,
    logger: true
  })
  await app.listen({ port: Number(PORT ?? 3001) })
}
