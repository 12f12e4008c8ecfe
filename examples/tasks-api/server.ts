import { fileURLToPath } from 'node:url'
import cors from '@fastify/cors'
import postgres from '@fastify/postgres'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import betterAuthUser from 'fastify-better-auth-user'
import { apiDocs } from './api-docs.ts'
import { replyToErrors } from './errors.ts'
import { migrate } from './migrations.ts'
import { tasksRoutes } from './tasks-routes.ts'

export interface ServerOptions {
  /** BETTER_AUTH_SECRET, the same as the front end's. Several: the current one first, older ones after it. */
  secret: string | readonly string[] | undefined
  /** The database in which the front end's Better Auth keeps its users. */
  connectionString: string | undefined
  /** Required as `iss` of every token once given, such as `nextjs-frontend`. @default not checked */
  issuer?: string | undefined
  /** Required in `aud` of every token once given, such as `fastify-backend`. @default not checked */
  audience?: string | undefined
  /** Pages that may call this API from a browser. @default none */
  corsOrigins?: readonly string[]
  /** Refuse what did not come by HTTPS, as a proxy on this machine reports in `x-forwarded-proto`. @default false */
  httpsOnly?: boolean
  logger?: FastifyServerOptions['logger']
}

/** The API, not yet listening. @throws TypeError for options that cannot work. */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const { secret, connectionString, issuer, audience, corsOrigins = [], httpsOnly = false, logger = false } = options
  if (!secret || secret.length === 0) throw new TypeError('BETTER_AUTH_SECRET is required')
  if (!connectionString) throw new TypeError('DATABASE_URL is required')

  const app = Fastify({
    logger,
    trustProxy: httpsOnly ? 'loopback' : false,
    // An unknown field is a mistake to hear of, not one to drop.
    ajv: { customOptions: { removeAdditional: false } }
  })
  replyToErrors(app)
  if (httpsOnly) {
    app.addHook('onRequest', async ({ protocol }, reply) => {
      reply.header('strict-transport-security', 'max-age=31536000')
      if (protocol === 'https') return
      throw Object.assign(new Error('Use HTTPS: a token sent without it is no secret'), { statusCode: 403 })
    })
  }
  await app.register(cors, {
    origin: [...corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['location', 'x-total-count', 'www-authenticate']
  })
  await app.register(postgres, { connectionString, connectionTimeoutMillis: 5000 })
  app.pg.pool.on('error', error => app.log.warn(error, 'an idle database connection was lost'))
  await migrate(app.pg.pool)

  await app.register(betterAuthUser, {
    secret,
    hs256: { issuer, audience },
    cookie: false,
    // A token whose user or session is gone is not valid any more.
    unknownUserStatus: 401,
    hook: 'onRequest',
    openapi: true,
    mapError: error =>
      error.code === 'FST_BAU_NOT_OWN_USER'
        ? Object.assign(error, { message: 'Not authorized to access this resource' })
        : error
  })
  await app.register(apiDocs)
  await app.register(tasksRoutes, { prefix: '/api/:user_id/tasks' })
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { BETTER_AUTH_SECRET, PREVIOUS_SECRET, DATABASE_URL, JWT_ISSUER, JWT_AUDIENCE } = process.env
  const { CORS_ORIGINS = '', HTTPS_ONLY, PORT } = process.env
  const app = await buildServer({
    secret: BETTER_AUTH_SECRET && PREVIOUS_SECRET ? [BETTER_AUTH_SECRET, PREVIOUS_SECRET] : BETTER_AUTH_SECRET,
    connectionString: DATABASE_URL,
    issuer: JWT_ISSUER,
    audience: JWT_AUDIENCE,
    corsOrigins: CORS_ORIGINS.split(',').filter(origin => origin !== ''),
    httpsOnly: HTTPS_ONLY === '1',
    logger: true
  })
  await app.listen({ port: Number(PORT ?? 8000) })
}
