import cors from '@fastify/cors'
import postgres from '@fastify/postgres'
import sensible from '@fastify/sensible'
import Fastify, { type FastifyInstance } from 'fastify'
import { betterAuthUser, currentUser } from 'fastify-better-auth-user'
import { chatkit, postgresThreadStore, type Responder } from 'fastify-chatkit'
import type { PoolConfig } from 'pg'
import { acceptedTokens } from './accepted-tokens.ts'
import { CHAT_PATH, SIGN_IN_PATH, urlOf } from './addresses.ts'
import { openAttachments } from './attachments.ts'
import type { Config } from './config.ts'
import { explainAttempts } from './console.ts'
import { surviveLosses } from './database.ts'
import { devRoutes } from './dev/dev-routes.ts'
import { type Drain, endInTime, watchAnswers } from './drain.ts'
import { replyToErrors } from './error-reply.ts'
import { healthRoutes } from './health.ts'
import { identityCache } from './identity-cache.ts'
import { rateLimits } from './limit/rate-limits.ts'
import { metricsRoute } from './metrics/metrics-route.ts'
import { page } from './page.ts'
import { refuseUnderPressure } from './pressure.ts'
import { answerWithRequestIds } from './request-id.ts'
import { chooseAnswers } from './responder.ts'
import { securityHeaders } from './security-headers.ts'
import { serverOptions } from './server-options.ts'
import { version } from './version.ts'

/** What the application does not find out itself. */
export interface Dependencies {
  database: PoolConfig
  secret: string
  /** In place of what the configuration asks for. */
  respond?: Responder
  /** A line for a developer at the console. Not called in production. */
  print: (line: string) => void
  /** Where the log goes. @default standard output */
  logStream?: { write(line: string): void }
  /** Called before anything is added: for what must see every route. */
  begin?: (app: FastifyInstance) => Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    drain: Drain
  }
}

/** The host, not yet listening: who you are, then what you may say. */
export async function buildApp(config: Config, dependencies: Dependencies): Promise<FastifyInstance> {
  const { database, secret, respond, print, logStream } = dependencies
  const app = Fastify(serverOptions(config, logStream))
  const drain = watchAnswers(app)
  app.decorate('drain', drain)
  replyToErrors(app)
  await dependencies.begin?.(app)
  answerWithRequestIds(app)
  await metricsRoute(app, config)
  await securityHeaders(app)

  // The plugin would refuse it in plain text, and every error here has one shape.
  app.addHook('onRequest', async ({ method, headers }) => {
    const isPreflight = Boolean(headers.origin && headers['access-control-request-method'])
    if (method !== 'OPTIONS' || isPreflight || config.corsOrigins.length === 0) return
    throw Object.assign(new Error('This is no preflight request'), { statusCode: 400, code: 'INVALID_PREFLIGHT' })
  })
  // First, so that whatever refuses a request later has these headers as well.
  await app.register(cors, {
    origin: config.corsOrigins.length > 0 ? [...config.corsOrigins] : false,
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['content-type', 'authorization', 'accept-language', 'chatkit-frame-instance-id', 'x-request-id'],
    exposedHeaders: ['www-authenticate', 'retry-after', 'set-auth-token', 'set-auth-jwt', 'x-request-id'],
    maxAge: 7200
  })
  await app.register(sensible)
  await refuseUnderPressure(app, config)
  const { limitTurns, onRejected } = await rateLimits(app, config)

  await app.register(postgres, database)
  surviveLosses(app.pg.pool, error => app.log.warn({ code: codeOf(error) }, 'an idle database connection was lost'))

  await app.register(betterAuthUser, {
    secret,
    ...acceptedTokens(config),
    trustedOrigins: config.corsOrigins,
    cache: identityCache(app, config),
    hook: 'onRequest',
    logAttempts: config.production,
    ...(config.production ? { onRejected } : explainAttempts(print))
  })
  if (config.signIn) {
    // Only then: loading Better Auth takes longer than everything else here together.
    const { identityProvider } = await import('./identity-provider.ts')
    await app.register(identityProvider, { config, secret, database: app.pg.pool, ownUrl: () => urlOf(app) })
  }
  const threadStore = postgresThreadStore(app.pg)
  const attachments = openAttachments(app, config, secret)
  await attachments?.register(app, threadStore)
  await app.register(chatkit, {
    path: CHAT_PATH,
    onRequest: app.requireUser(),
    preHandler: limitTurns,
    owner: request => currentUser(request).id,
    context: request => ({ user: currentUser(request) }),
    threadStore,
    ...(attachments ? { attachments: attachments.store } : {}),
    ...(respond === undefined ? await chooseAnswers(app, config, threadStore) : { respond }),
    plainMessages: true
  })

  await app.register(page, {
    config,
    attachments: attachments?.limits ?? null,
    about: {
      name: 'chatkit-host',
      version,
      chat: `POST ${CHAT_PATH}`,
      signIn: config.signIn ? SIGN_IN_PATH : config.authUrl,
      try: `curl -N -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{"message":"Hello"}' <this address>${CHAT_PATH}`
    }
  })
  if (!config.production) await app.register(devRoutes, { config })
  healthRoutes(app, config, drain)
  await endInTime(app, drain)
  return app
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message
}
