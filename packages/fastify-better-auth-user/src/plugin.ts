import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import './augment.ts'
import { assemble, type Stats } from './assemble.ts'
import { checkAuthMode, checkOptions } from './check-options.ts'
import { createGate } from './guard/gate.ts'
import { factsOf, type Guard, type GuardFacts, optionalGuard } from './guard/guard.ts'
import { requireFreshSession } from './guard/require-fresh-session.ts'
import { requireOrganization } from './guard/require-organization.ts'
import { requireOwnUser } from './guard/require-own-user.ts'
import { requireRole } from './guard/require-role.ts'
import { requireScope } from './guard/require-scope.ts'
import { requireUser } from './guard/require-user.ts'
import { requireVerifiedEmail } from './guard/require-verified-email.ts'
import { routeHook } from './guard/route-hook.ts'
import type { RevocationMigrations } from './identity/revocation-triggers.ts'
import { describeRoute, errorSchema, type SecurityScheme, securitySchemes } from './openapi.ts'
import type { AuthMode, BetterAuthUserOptions } from './options.ts'

/** `app.betterAuthUser` */
export interface BetterAuthUser {
  /** What keeps requests from being authenticated now: a sentence with its cure for each problem. For readiness probes. */
  check(): Promise<string[]>
  /** What keeps identities from being cached now, likewise. Requests are served all the same, each looked up. */
  checkCache(): Promise<string[]>
  /** What was verified, looked up and kept since the plugin was registered. */
  stats(): Stats
  /**
   * The triggers that tell of changes, which cached mode needs: `await app.betterAuthUser.migrations.up()`, once a database.
   *
   * @throws TypeError when there is no database to look in.
   */
  readonly migrations: RevocationMigrations
  /** What is accepted, as OpenAPI's `components.securitySchemes`. */
  securitySchemes: Readonly<Record<string, SecurityScheme>>
}

const SCOPE_MODE = Symbol('fastify-better-auth-user.scope-mode')

const plugin: FastifyPluginAsync<BetterAuthUserOptions> = async (app, given) => {
  const options = checkOptions(given)
  if (app.hasRequestDecorator('user')) {
    throw new TypeError(
      'request.user is taken: give the other plugin another name (for @fastify/jwt: `decoratorName: "jwtPayload"`)'
    )
  }
  const { pipeline, memberships, check, checkCache, stats, migrations } = await assemble(app, options)
  const gate = createGate(pipeline, options)

  app.decorateRequest('user', null)
  app.decorateRequest('authSession', null)
  app.decorateRequest('authGrant', null)
  app.decorateRequest(gate.attempt, null)
  app.decorate('betterAuthUser', {
    check,
    checkCache,
    stats,
    get migrations() {
      return migrations()
    },
    securitySchemes: securitySchemes(options)
  })
  if (options.openapi) app.addSchema(errorSchema)
  decorateGuard(app, 'optionalUser', () => optionalGuard(gate))
  decorateGuard(app, 'requireUser', () => requireUser(gate))
  app.decorate('requireOwnUser', (param, more) => requireOwnUser(gate, param, more))
  app.decorate('requireRole', role => requireRole(gate, role))
  app.decorate('requireScope', scope => requireScope(gate, scope))
  app.decorate('requireOrganization', more => requireOrganization(gate, memberships(), more))
  app.decorate('requireFreshSession', more => requireFreshSession(gate, more))
  decorateGuard(app, 'requireVerifiedEmail', () => requireVerifiedEmail(gate))
  app.decorate('setAuthMode', function setAuthMode(this: FastifyInstance, mode: AuthMode) {
    // Read through the prototype by the scopes inside this one.
    Object.defineProperty(this, SCOPE_MODE, { value: checkAuthMode('auth', mode), configurable: true })
    return this
  })

  app.addHook('onRoute', function onRoute(this: FastifyInstance, route) {
    const own = route.config?.auth
    const mode = own === undefined ? (this as { [SCOPE_MODE]?: AuthMode })[SCOPE_MODE] : own
    if (mode !== undefined) {
      route.config = { ...route.config, auth: checkAuthMode(`config.auth of ${route.url}`, mode) }
    }
    const guards = guardsOf(route)
    checkParams(route.url, guards)
    if ([route.preParsing].flat().some(hook => factsOf(hook) !== undefined)) {
      throw new TypeError(`preParsing of ${route.url}: no place for a guard; give it as onRequest`)
    }
    if (options.openapi) describeRoute(route, guards, route.config?.auth ?? options.auth, this.betterAuthUser)
  })

  app.addHook('onReady', async () => {
    if (options.checkAtStart === false) return
    const problems = await check()
    for (const problem of problems) app.log.warn(problem)
    if (options.checkAtStart === 'fail' && problems.length > 0) throw new Error(problems.join(' '))
  })

  app.addHook(
    options.hook,
    routeHook((request, reply) =>
      // A preflight carries no credentials (Fetch §3.3.5), and @fastify/cors may be registered after this hook.
      options.hook === 'preHandler' || !isPreflight(request) ? authenticateRoute(request, reply) : undefined
    )
  )
  if (options.hook === 'onRequest') {
    // A preflight that nobody has answered by now is about to reach a handler.
    app.addHook(
      'preHandler',
      routeHook((request, reply) => (isPreflight(request) ? authenticateRoute(request, reply) : undefined))
    )
  }
  // An unguarded handler that asks for the current user owes strangers a challenge, too (RFC 9110 §11.6.1).
  app.addHook('onError', async (_request, reply, error) => gate.complete(reply, error))

  function authenticateRoute(request: FastifyRequest, reply: FastifyReply): unknown {
    if (gate.isIn(request)) return undefined
    // Nothing to protect, and a 401 here would hide every 404 of the application.
    if (request.is404) return undefined
    const mode = request.routeOptions.config.auth ?? options.auth
    return mode === false ? undefined : gate.admit(request, reply, mode)
  }
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

/** Given as a hook itself it would answer a guard, which Fastify takes for no answer yet: the request would wait for ever. */
function decorateGuard(app: FastifyInstance, name: string, make: () => Guard): void {
  app.decorate(name, (...given: unknown[]) => {
    if (given.length === 0) return make()
    throw new TypeError(`${name} makes a guard and is none itself: give app.${name}(), not app.${name}`)
  })
}

function guardsOf({ onRequest, preValidation, preHandler }: RouteOptions): GuardFacts[] {
  const hooks = [onRequest, preValidation, preHandler].flat()
  return hooks.map(factsOf).filter(facts => facts !== undefined)
}

/** A guard that reads a parameter the path does not have would refuse everybody; better to hear of it at start. */
function checkParams(url: string, guards: readonly GuardFacts[]): void {
  for (const { param } of guards) {
    if (param !== undefined && !new RegExp(`:${param}(?!\\w)`).test(url)) {
      throw new TypeError(`${url} is guarded by its parameter ${param}, but has none of that name`)
    }
  }
}

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}
