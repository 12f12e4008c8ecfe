import { fileURLToPath } from 'node:url'
import postgres from '@fastify/postgres'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import betterAuthUser, { currentUser } from 'fastify-better-auth-user'

export interface ServerOptions {
  /** BETTER_AUTH_SECRET of the application that signs people in. */
  secret: string | undefined
  connectionString: string | undefined
  /** Origins whose pages may open a socket with the session cookie, `https://app.example.com`. */
  trustedOrigins: readonly string[]
  logger?: FastifyServerOptions['logger']
}

/** A WebSocket that knows who is at its other end. Not yet listening. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { secret, connectionString, trustedOrigins, logger = false } = options
  if (!secret) throw new TypeError('BETTER_AUTH_SECRET is required')
  if (!connectionString) throw new TypeError('DATABASE_URL is required')
  const app = Fastify({ logger })
  await app.register(postgres, { connectionString })
  app.pg.pool.on('error', error => app.log.warn(error, 'an idle database connection was lost'))
  // Browsers cannot set a header on a socket; other clients than pages may send the token in the address.
  await app.register(betterAuthUser, { secret, trustedOrigins, token: { query: 'access_token' } })
  await app.register(websocket, { options: { maxPayload: 64 * 1024 } })

  // As `onRequest`, the guard answers 401 or 403 in plain HTTP: a stranger never has a socket.
  app.get('/echo', { websocket: true, onRequest: app.requireUser() }, (socket, request) => {
    const { name } = currentUser(request)
    // Listeners first, and at once: what arrives before them is lost.
    socket.on('message', message => socket.send(`${name}: ${message.toString()}`))
    socket.send(`Welcome, ${name}`)
  })
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { BETTER_AUTH_SECRET, DATABASE_URL, TRUSTED_ORIGINS = '', PORT } = process.env
  const app = await buildServer({
    secret: BETTER_AUTH_SECRET,
    connectionString: DATABASE_URL,
    trustedOrigins: TRUSTED_ORIGINS.split(',').filter(Boolean),
    logger: true
  })
  await app.listen({ port: Number(PORT ?? 3001) })
}
