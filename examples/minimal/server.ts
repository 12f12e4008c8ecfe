import { fileURLToPath } from 'node:url'
import postgres from '@fastify/postgres'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import betterAuthUser, { currentUser } from 'fastify-better-auth-user'
import chatkit, { echo, migrateChatkit, postgresThreadStore } from 'fastify-chatkit'

export interface ServerOptions {
  /** BETTER_AUTH_SECRET of the application that signs people in. */
  secret: string | undefined
  /** The database that has its tables; the threads are kept there, too. */
  connectionString: string | undefined
  logger?: FastifyServerOptions['logger']
}

/** Who is calling, and a chat with an echo. Not yet listening. */
export async function buildServer({
  secret,
  connectionString,
  logger = false
}: ServerOptions): Promise<FastifyInstance> {
  if (!secret) throw new TypeError('BETTER_AUTH_SECRET is required')
  if (!connectionString) throw new TypeError('DATABASE_URL is required')
  const app = Fastify({ logger })
  await app.register(postgres, { connectionString })
  app.pg.pool.on('error', error => app.log.warn(error, 'an idle database connection was lost'))
  await migrateChatkit(app.pg)

  await app.register(betterAuthUser, { secret })
  await app.register(chatkit, {
    path: '/chatkit',
    onRequest: app.requireUser(),
    owner: request => currentUser(request).id,
    threadStore: postgresThreadStore(app.pg),
    respond: echo
  })
  app.get('/me', { onRequest: app.requireUser() }, async request => currentUser(request))
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { BETTER_AUTH_SECRET, DATABASE_URL, PORT } = process.env
  const app = await buildServer({ secret: BETTER_AUTH_SECRET, connectionString: DATABASE_URL, logger: true })
  await app.listen({ port: Number(PORT ?? 3001) })
}
