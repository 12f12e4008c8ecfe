import { AsyncLocalStorage } from 'node:async_hooks'
import { type BetterAuthOptions, betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { bearer } from 'better-auth/plugins/bearer'
import { jwt } from 'better-auth/plugins/jwt'
import type { FastifyBaseLogger, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Pool } from 'pg'
import { isLoopback, issuerOf, SIGN_IN_PATH, targetBelow } from './addresses.ts'
import type { Config } from './config.ts'
import type { Migration } from './database.ts'
import { isOutage } from './database-errors.ts'

/** Tells Better Auth the client's address. Ours to set: whatever a client sends under this name is replaced. */
const ADDRESS_HEADER = 'x-chatkit-host-client-address'

export interface IdentityProviderOptions {
  config: Pick<Config, 'authUrl' | 'corsOrigins' | 'host' | 'port'>
  secret: string
  database: Pool
  /** The address this host listens on, known once it does. */
  ownUrl: () => string
}

/** Better Auth's own tables: user, session, account, verification, jwks. */
export function betterAuthMigration(secret: string): Migration {
  return async pool => {
    const { toBeCreated, toBeAdded, runMigrations } = await getMigrations({
      ...features('http://localhost'),
      secret,
      database: pool,
      baseURL: 'http://localhost',
      logger: { disabled: true }
    })
    if (toBeCreated.length + toBeAdded.length === 0) return null
    await runMigrations()
    return `Better Auth's tables: ${[...toBeCreated, ...toBeAdded].map(({ table }) => table).join(', ')}`
  }
}

/** What is switched on. The migration and the server must agree on it, since plugins bring tables. */
function features(issuer: string) {
  return {
    emailAndPassword: { enabled: true },
    plugins: [bearer(), jwt({ jwt: { issuer, audience: issuer } })],
    telemetry: { enabled: false }
  } satisfies BetterAuthOptions
}

/** Better Auth itself, for a host that is its own sign-in: e-mail and password, bearer tokens, JWTs. */
export const identityProvider: FastifyPluginAsync<IdentityProviderOptions> = async (app, options) => {
  let server: Server | null = null
  // Not before the first request: only a host that listens knows its port, and with it its own address.
  const serve = () => {
    server ??= createServer(options, app.log)
    return server
  }

  // Better Auth reads bodies itself, and a form parsed and written anew as JSON would not be what was sent.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) => body)

  app.route({
    method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: `${SIGN_IN_PATH}/*`,
    config: { auth: false },
    handler: async (request, reply) => {
      const { handler, origin } = serve()
      return send(reply, await handler(toWebRequest(request, origin)))
    }
  })
}

interface Server {
  /** @throws what says that the database is away, so that the answer is 503. */
  handler: (request: Request) => Promise<Response>
  origin: string
}

/** What went wrong while a request was answered. */
interface Course {
  outage: unknown
}

function createServer({ config, secret, database, ownUrl }: IdentityProviderOptions, log: FastifyBaseLogger): Server {
  const origin = new URL(config.authUrl ?? ownUrl()).origin
  const courses = new AsyncLocalStorage<Course>()
  const { handler } = betterAuth({
    ...features(issuerOf(config)),
    secret,
    database,
    baseURL: origin,
    basePath: SIGN_IN_PATH,
    trustedOrigins: request => [...config.corsOrigins, ...ownOrigins(origin, config, request)],
    // RATE_LIMIT_SIGN_INS is the limit: this one would come first, in words of its own, and each host would count for itself.
    rateLimit: { enabled: false },
    advanced: { ipAddress: { ipAddressHeaders: [ADDRESS_HEADER] } },
    logger: {
      disableColors: true,
      level: 'info',
      log(level, message, ...details) {
        report(log, level, message, details)
        // Some of its routes only log that the database was away, and go on: they would call a session ended that lives.
        const course = courses.getStore()
        if (course !== undefined) course.outage ??= [message, ...details].find(isOutage)
      }
    },
    onAPIError: {
      onError(error) {
        // Thrown again, an outage reaches the host's own error reply and is 503; everything else is Better Auth's to answer.
        if (isOutage(error)) throw error
      }
    }
  })
  return {
    origin,
    async handler(request) {
      const course: Course = { outage: undefined }
      const response = await courses.run(course, () => handler(request))
      if (course.outage !== undefined) throw course.outage
      return response
    }
  }
}

/** Other names of this host's own pages, when nobody has said which one browsers use. */
function ownOrigins(origin: string, { authUrl, host }: IdentityProviderOptions['config'], request?: Request): string[] {
  if (authUrl !== null) return []
  const { port } = new URL(origin)
  if (isLoopback(host)) return ['localhost', '127.0.0.1', '[::1]'].map(name => `http://${name}:${port}`)
  // Listening on every address: a page is ours when its origin is the host that its request was sent to.
  const sentTo = request?.headers.get('host')
  return sentTo === null || sentTo === undefined ? [] : [`http://${sentTo}`]
}

function toWebRequest(request: FastifyRequest, origin: string): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name.startsWith(':')) continue
    for (const one of Array.isArray(value) ? value : [value]) headers.append(name, one)
  }
  headers.set(ADDRESS_HEADER, request.ip)
  const body = request.body instanceof Buffer && request.body.length > 0 ? request.body : null
  const url = targetBelow(origin, request.url)
  return new Request(url, { method: request.method, headers, body: body && new Uint8Array(body) })
}

async function send(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  reply.status(response.status)
  for (const [name, value] of response.headers) {
    // Cookies are read apart, since they may not be joined; who may call from elsewhere is this host's to say.
    if (name === 'set-cookie' || name.startsWith('access-control-')) continue
    reply.header(name, value)
  }
  for (const cookie of response.headers.getSetCookie()) reply.header('set-cookie', cookie)
  return reply.send(response.body === null ? null : Buffer.from(await response.arrayBuffer()))
}

/** Better Auth's messages may name an e-mail address, and its details whole rows: only what is safe goes on. */
function report(
  log: FastifyBaseLogger,
  level: 'debug' | 'info' | 'warn' | 'error',
  message: unknown,
  details: unknown[]
): void {
  const error = [message, ...details].find(detail => detail instanceof Error)
  const cause = error && { name: error.name, code: 'code' in error ? String(error.code) : undefined }
  // It logs some errors without a sentence.
  const sentence = typeof message === 'string' ? message : 'failed'
  log[level]({ source: 'better-auth', cause }, sentence.replace(/[^\s"'<>]+@[^\s"'<>]+/g, '[e-mail]'))
}
