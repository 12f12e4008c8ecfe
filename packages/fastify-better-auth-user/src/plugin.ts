import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import './augment.ts'
import { assemble } from './assemble.ts'
import { checkOptions } from './check-options.ts'
import { createGate } from './guard/gate.ts'
import { requireUser } from './guard/require-user.ts'
import type { BetterAuthUserOptions } from './options.ts'

/** `app.betterAuthUser` */
export interface BetterAuthUser {
  /** What keeps requests from being authenticated now: a sentence with its cure for each problem. For readiness probes. */
  check(): Promise<string[]>
}

const plugin: FastifyPluginAsync<BetterAuthUserOptions> = async (app, given) => {
  const options = checkOptions(given)
  if (app.hasRequestDecorator('user')) {
    throw new TypeError(
      'request.user is taken: give the other plugin another name (for @fastify/jwt: `decoratorName: "jwtPayload"`)'
    )
  }
  const { pipeline, check } = await assemble(app, options)
  const gate = createGate(pipeline, options)

  app.decorateRequest('user', null)
  app.decorateRequest('authSession', null)
  app.decorateRequest('authGrant', null)
  app.decorate('requireUser', () => requireUser(gate))
  app.decorate('betterAuthUser', { check })

  app.addHook('onReady', async () => {
    if (options.checkAtStart === false) return
    const problems = await check()
    for (const problem of problems) app.log.warn(problem)
    if (options.checkAtStart === 'fail' && problems.length > 0) throw new Error(problems.join(' '))
  })

  app.addHook(options.hook, async (request, reply) => {
    // Nothing to protect, and a 401 here would hide every 404 of the application.
    if (request.is404) return
    // A preflight carries no credentials (Fetch §3.3.5), and @fastify/cors may be registered after this hook.
    if (options.hook === 'onRequest' && isPreflight(request)) return
    const mode = request.routeOptions.config.auth ?? options.auth
    if (mode !== false) await gate(request, reply, mode)
  })
}

/**
 * Lets a Fastify service know which Better Auth user is calling. Register it after @fastify/postgres:
 *
 * ```ts
 * await app.register(betterAuthUser, { secret: process.env.BETTER_AUTH_SECRET })
 * app.get('/me', { onRequest: app.requireUser() }, request => currentUser(request))
 * ```
 *
 * @throws TypeError for options that cannot work.
 */
export const betterAuthUser = fp(plugin, { name: 'fastify-better-auth-user', fastify: '5.x' })

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}
