import type { FastifySchema, RouteOptions } from 'fastify'
import type { GuardFacts } from './guard/guard.ts'
import type { AuthMode, CheckedOptions } from './options.ts'

/**
 * Shape of every error answer, registered with `app.addSchema` by the `openapi` option. A route that describes its own
 * 401 or 403 should refer to it (`{ $ref: 'BetterAuthUserError#' }`): Fastify drops what a response schema does not name.
 */
export const errorSchema = {
  $id: 'BetterAuthUserError',
  type: 'object',
  required: ['message'],
  properties: {
    statusCode: { type: 'integer' },
    code: { type: 'string' },
    error: { type: 'string' },
    message: { type: 'string' }
  },
  // An application's own error handler may say more.
  additionalProperties: true
} as const

export type SecurityScheme =
  | { type: 'http'; scheme: 'bearer'; description: string }
  | { type: 'apiKey'; in: 'cookie' | 'header'; name: string; description: string }

/** The OpenAPI security schemes that these options accept, for `components.securitySchemes` of @fastify/swagger. */
export function securitySchemes({ cookie, apiKey }: CheckedOptions): Record<string, SecurityScheme> {
  const schemes: Record<string, SecurityScheme> = {
    bearerToken: { type: 'http', scheme: 'bearer', description: 'A session token or JWT of Better Auth' }
  }
  if (cookie !== null) {
    const name = cookie.name ?? `${cookie.cookiePrefix ?? 'better-auth'}.session_token`
    schemes.sessionCookie = { type: 'apiKey', in: 'cookie', name, description: 'The session cookie of Better Auth' }
  }
  if (apiKey !== null) {
    const [name = 'x-api-key'] = [apiKey.header ?? []].flat()
    schemes.apiKey = { type: 'apiKey', in: 'header', name, description: 'An API key of Better Auth' }
  }
  return schemes
}

/** Adds to a route that needs a user, or takes one, what OpenAPI documents say of it; what the route says itself stays. */
export function describeRoute(
  route: RouteOptions,
  guards: readonly GuardFacts[],
  mode: AuthMode,
  { securitySchemes }: { securitySchemes: Readonly<Record<string, SecurityScheme>> }
): void {
  if (mode === false && guards.length === 0) return
  const required = mode === 'required' || guards.some(guard => !guard.optional)
  const forbids = guards.some(guard => guard.forbids)
  const given = (route.schema ?? {}) as FastifySchema & { security?: unknown; response?: Record<string, unknown> }
  const alternatives = Object.keys(securitySchemes).map(name => ({ [name]: [] }))
  const refusal = { description: 'Refused', $ref: `${errorSchema.$id}#` }
  route.schema = {
    ...given,
    security: given.security ?? (required ? alternatives : [{}, ...alternatives]),
    response: { ...(forbids ? { 401: refusal, 403: refusal } : { 401: refusal }), ...given.response }
  } as FastifySchema
}
