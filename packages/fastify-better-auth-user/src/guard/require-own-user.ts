import { errors } from '../errors.ts'
import type { Gate } from './gate.ts'
import { type Guard, userGuard } from './guard.ts'
import { onlyKnown, paramName, paramOf } from './param.ts'
import { hasRole, rolesFrom } from './require-role.ts'

export interface OwnUserOptions {
  /** Users with one of these roles may act for others. @default nobody may */
  orRole?: string | readonly string[]
}

/**
 * Lets through the user whom the path names: `/users/:userId/…`.
 *
 * @param param name of the route parameter that holds a user id.
 * @throws TypeError for unknown options.
 */
export function requireOwnUser(gate: Gate, param = 'userId', options: OwnUserOptions = {}): Guard {
  onlyKnown('requireOwnUser', options, ['orRole'])
  const roles = options.orRole === undefined ? [] : rolesFrom('requireOwnUser: orRole', options.orRole)
  return userGuard(gate, { forbids: true, param: paramName('requireOwnUser', param) }, ({ user }, request) => {
    if (paramOf(request, param) !== user.id && !hasRole(user, roles)) throw new errors.FST_BAU_NOT_OWN_USER()
  })
}
