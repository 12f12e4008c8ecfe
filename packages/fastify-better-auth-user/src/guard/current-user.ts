import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { User } from '../types.ts'

/**
 * The signed-in user of a request.
 *
 * @throws FST_BAU_CREDENTIAL_MISSING nobody is signed in.
 * @throws FST_BAU_NOT_REGISTERED the plugin is not registered where this route is.
 */
export function currentUser(request: FastifyRequest): User {
  const { user } = request
  if (user === undefined) throw new errors.FST_BAU_NOT_REGISTERED()
  if (user === null) throw new errors.FST_BAU_CREDENTIAL_MISSING()
  return user
}
