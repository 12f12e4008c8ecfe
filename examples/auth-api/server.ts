import { fileURLToPath } from 'node:url'
import postgres from '@fastify/postgres'
import rateLimit from '@fastify/rate-limit'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import betterAuthUser from 'fastify-better-auth-user'
import { authRoutes } from './auth-routes.ts'
import { createAuth, migrateAuth } from './better-auth.ts'
import { replyToErrors } from './errors.ts'
import { migrateTasks, tasksRoutes } from './tasks-routes.ts'
import { tokenIssuer } from './token.ts'

export interface ServerOptions {
  /** BETTER_AUTH_SECRET, at least 32 bytes. */
  secret: string | undefined
  connectionString: string | undefined
  /** How long tokens and their sessions live: JWT_EXPIRATION_DAYS. @default 7 */
  days?: number
  /** Let tokens live on after sign-out. @default false */
  statelessSignOut?: boolean
  /** bcrypt's cost. @default 12 */
  rounds?: number
  /** Sign-ups and sign-ins from one address in a minute. @default 10 */
  attemptsPerMinute?: number
  logger?: FastifyServerOptions['logger']
}

/** The API, not yet listening. @throws TypeError for options that cannot work. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { secret, connectionString, days = 7, rounds = 12, logger = false } = options
  const { statelessSignOut = false, attemptsPerMinute = 10 } = options
  if (!secret) throw new TypeError('BETTER_AUTH_SECRET is required')
  if (!connectionString) throw new TypeError('DATABASE_URL is required')
  if (!Number.isInteger(days) || days < 1 || days > 365) throw new TypeError('JWT_EXPIRATION_DAYS must be 1 to 365')

  const app = Fastify({ logger, ajv: { customOptions: { coerceTypes: false } } })
  replyToErrors(app)
  await app.register(rateLimit, { global: false })
  await app.register(postgres, { connectionString, connectionTimeoutMillis: 5000 })
  app.pg.pool.on('error', error => app.log.warn(error, 'an idle database connection was lost'))

  await app.register(betterAuthUser, {
    secret,
    hs256: true,
    requireSignature: true,
    cookie: false,
    // A token whose session has ended is not valid any more.
    unknownUserStatus: 401,
    hook: 'onRequest'
  })
  const auth = createAuth({ secret, database: app.pg.pool, days, rounds })
  await migrateAuth(auth)
  await migrateTasks(app.pg.pool)
  const issue = await tokenIssuer(app, secret, days)
  await app.register(authRoutes, { prefix: '/api/auth', auth, issue, statelessSignOut, attemptsPerMinute })
  await app.register(tasksRoutes, { prefix: '/api' })
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { BETTER_AUTH_SECRET, DATABASE_URL, JWT_EXPIRATION_DAYS, STATELESS_SIGN_OUT, PORT } = process.env
  const app = await buildServer({
    secret: BETTER_AUTH_SECRET,
    connectionString: DATABASE_URL,
    days: Number(JWT_EXPIRATION_DAYS ?? 7),
    statelessSignOut: STATELESS_SIGN_OUT === '1',
    logger: true
  })
  await app.listen({ port: Number(PORT ?? 8000) })
}
