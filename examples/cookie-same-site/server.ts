import { fileURLToPath } from 'node:url'
import cors from '@fastify/cors'
import postgres from '@fastify/postgres'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import betterAuthUser, { currentUser } from 'fastify-better-auth-user'

export interface ServerOptions {
  /** BETTER_AUTH_SECRET of the application that signs people in. */
  secret: string | undefined
  connectionString: string | undefined
  /** Origins whose pages may call, `https://app.example.com`. */
  pages: readonly string[]
  logger?: FastifyServerOptions['logger']
}

/** The API at api.example.com, for pages of app.example.com that send its session cookie along. Not yet listening. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { secret, connectionString, pages, logger = false } = options
  if (!secret) throw new TypeError('BETTER_AUTH_SECRET is required')
  if (!connectionString) throw new TypeError('DATABASE_URL is required')
  const app = Fastify({ logger })
  // First, so that the page can read a 401 as well. It says whose pages may read answers …
  await app.register(cors, { origin: [...pages], credentials: true, exposedHeaders: ['www-authenticate'] })
  await app.register(postgres, { connectionString })
  app.pg.pool.on('error', error => app.log.warn(error, 'an idle database connection was lost'))
  // … and this, whose pages may do something with the cookie, which a browser sends whether or not the page may read.
  await app.register(betterAuthUser, { secret, trustedOrigins: pages })

  app.get('/me', { onRequest: app.requireUser() }, async request => currentUser(request))
  app.post('/notes', { onRequest: app.requireUser() }, async (request, reply) =>
    reply.status(201).send({ by: currentUser(request).name })
  )
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { BETTER_AUTH_SECRET, DATABASE_URL, PAGES = '', PORT } = process.env
  const app = await buildServer({
    secret: BETTER_AUTH_SECRET,
    connectionString: DATABASE_URL,
    pages: PAGES.split(',').filter(Boolean),
    logger: true
  })
  await app.listen({ port: Number(PORT ?? 3001) })
}
