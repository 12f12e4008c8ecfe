import type { FastifyRequest } from 'fastify'

/**
 * A route parameter; `undefined` where the route has none of that name, which no user id equals. A schema that says
 * `integer` has made it a number by the time of `preHandler`.
 */
export function paramOf(request: FastifyRequest, name: string): string | undefined {
  const params = request.params as Readonly<Record<string, unknown>> | undefined
  const value = params !== undefined && Object.hasOwn(params, name) ? params[name] : undefined
  return typeof value === 'string' || Number.isSafeInteger(value) ? String(value) : undefined
}

/** @throws TypeError for what cannot be the name of a route parameter. */
export function paramName(guard: string, name: unknown): string {
  if (typeof name !== 'string' || !/^\w+$/.test(name)) {
    throw new TypeError(`${guard}: expected the name of a route parameter, such as userId for /users/:userId`)
  }
  return name
}

/** @throws TypeError: an option nobody reads would be a condition nobody checks. */
export function onlyKnown(guard: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new TypeError(`${guard}: unknown option ${name}; known are ${known.join(', ')}`)
  }
}
