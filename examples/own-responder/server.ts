import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import postgres from '@fastify/postgres'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import betterAuthUser, { currentUser } from 'fastify-better-auth-user'
import chatkit, { migrateChatkit, postgresThreadStore } from 'fastify-chatkit'
import { act, respondFrom, type Source } from './responder.ts'

export interface ServerOptions {
  /** BETTER_AUTH_SECRET of the application that signs people in. */
  secret: string | undefined
  connectionString: string | undefined
  source: Source
  logger?: FastifyServerOptions['logger']
}

/** A chat that answers with a responder of its own. Not yet listening. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { secret, connectionString, source, logger = false } = options
  if (!secret) throw new TypeError('BETTER_AUTH_SECRET is required')
  if (!connectionString) throw new TypeError('DATABASE_URL is required')
  const app = Fastify({ logger })
  await app.register(postgres, { connectionString })
  app.pg.pool.on('error', error => app.log.warn(error, 'an idle database connection was lost'))
  await migrateChatkit(app.pg)
  await app.register(betterAuthUser, { secret })
  await app.register(chatkit, {
    onRequest: app.requireUser(),
    owner: request => currentUser(request).id,
    threadStore: postgresThreadStore(app.pg),
    respond: respondFrom(source),
    action: act
  })
  return app
}

/** In place of a model: says a word at a time that it has heard the question. */
async function* hear(question: string, signal: AbortSignal) {
  for (const word of `You asked: ${question}`.split(/(?<= )/)) {
    yield word
    await sleep(50, undefined, { signal })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { BETTER_AUTH_SECRET, DATABASE_URL, PORT } = process.env
  const app = await buildServer({
    secret: BETTER_AUTH_SECRET,
    connectionString: DATABASE_URL,
    source: hear,
    logger: true
  })
  await app.listen({ port: Number(PORT ?? 3001) })
}
