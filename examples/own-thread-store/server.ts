import { fileURLToPath } from 'node:url'
import postgres from '@fastify/postgres'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import betterAuthUser, { currentUser } from 'fastify-better-auth-user'
import chatkit, { echo } from 'fastify-chatkit'
import { fileThreadStore } from './file-thread-store.ts'

export interface ServerOptions {
  /** BETTER_AUTH_SECRET of the application that signs people in. */
  secret: string | undefined
  connectionString: string | undefined
  /** Where the threads are kept. */
  folder: string
  logger?: FastifyServerOptions['logger']
}

/** A chat whose threads are kept in files. Not yet listening. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { secret, connectionString, folder, logger = false } = options
  if (!secret) throw new TypeError('BETTER_AUTH_SECRET is required')
  if (!connectionString) throw new TypeError('DATABASE_URL is required')
  const app = Fastify({ logger })
  await app.register(postgres, { connectionString })
  app.pg.pool.on('error', error => app.log.warn(error, 'an idle database connection was lost'))
  await app.register(betterAuthUser, { secret })
  await app.register(chatkit, {
    onRequest: app.requireUser(),
    owner: request => currentUser(request).id,
    threadStore: fileThreadStore(folder),
    respond: echo
  })
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { BETTER_AUTH_SECRET, DATABASE_URL, THREADS = '.data/threads', PORT } = process.env
  const app = await buildServer({
    secret: BETTER_AUTH_SECRET,
    connectionString: DATABASE_URL,
    folder: THREADS,
    logger: true
  })
  await app.listen({ port: Number(PORT ?? 3001) })
}
