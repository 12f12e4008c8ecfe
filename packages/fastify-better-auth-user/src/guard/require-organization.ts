import { errors, withCause } from '../errors.ts'
import type { MembershipStore } from '../identity/membership-store.ts'
import type { Gate } from './gate.ts'
import { type Guard, userGuard } from './guard.ts'
import { onlyKnown, paramName, paramOf } from './param.ts'
import { hasRole, rolesFrom } from './require-role.ts'

export interface OrganizationOptions {
  /** Name of the route parameter that holds the organization's id. @default 'organizationId' */
  param?: string
  /** Roles in that organization of which one is needed. @default any member */
  role?: string | readonly string[]
}

/**
 * Lets through members of the organization that the path names, by Better Auth's member table. The user's role in the
 * application counts for nothing here, and neither does the session's active organization: the path says what is touched.
 *
 * @throws TypeError for unknown options.
 */
export function requireOrganization(
  gate: Gate,
  memberships: MembershipStore,
  options: OrganizationOptions = {}
): Guard {
  onlyKnown('requireOrganization', options, ['param', 'role'])
  const param = paramName('requireOrganization', options.param ?? 'organizationId')
  const roles = options.role === undefined ? null : rolesFrom('requireOrganization: role', options.role)
  return userGuard(gate, { forbids: true, param }, async ({ user }, request) => {
    const organization = paramOf(request, param)
    const membership = organization === undefined ? null : await find(user.id, organization)
    if (membership === null) throw new errors.FST_BAU_NOT_A_MEMBER()
    if (roles !== null && !hasRole(membership, roles)) throw new errors.FST_BAU_ROLE_REQUIRED()
  })

  async function find(userId: string, organizationId: string) {
    try {
      return await memberships.find(userId, organizationId)
    } catch (cause) {
      throw withCause(new errors.FST_BAU_UNAVAILABLE(), cause)
    }
  }
}
