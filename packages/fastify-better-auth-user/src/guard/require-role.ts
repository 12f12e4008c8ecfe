import { errors } from '../errors.ts'
import type { User } from '../types.ts'
import type { Gate } from './gate.ts'
import { type Guard, userGuard } from './guard.ts'

/**
 * Lets through users who hold one of the roles, as Better Auth's admin plugin keeps them. Read from the database, so
 * a role that was taken away is gone with the next request.
 *
 * @throws TypeError without a role.
 */
export function requireRole(gate: Gate, role: string | readonly string[]): Guard {
  const roles = rolesFrom('requireRole', role)
  return userGuard(gate, { forbids: true }, ({ user }) => {
    if (!hasRole(user, roles)) throw new errors.FST_BAU_ROLE_REQUIRED()
  })
}

export function hasRole({ role }: Pick<User, 'role'>, roles: readonly string[]): boolean {
  // A list in one text: `user,admin`. Parts are compared whole, so `admin` is not found in `not-admin`.
  const held = (role ?? '').split(',').map(one => one.trim())
  return roles.some(one => held.includes(one))
}

/** @throws TypeError for an empty list, which would refuse everybody, and for an empty name. */
export function rolesFrom(guard: string, given: string | readonly string[]): readonly string[] {
  const roles = typeof given === 'string' ? [given] : [...given]
  const usable = (one: unknown) => typeof one === 'string' && one !== '' && one === one.trim() && !one.includes(',')
  if (roles.length === 0 || !roles.every(usable))
    throw new TypeError(`${guard}: expected the name of a role, or several`)
  return roles
}
