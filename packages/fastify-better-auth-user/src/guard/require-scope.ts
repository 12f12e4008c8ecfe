import { errors } from '../errors.ts'
import type { Gate } from './gate.ts'
import { type Guard, userGuard } from './guard.ts'

/** A scope-token of RFC 6749 §3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/**
 * Lets through OAuth clients that were granted all of these scopes, and users who act for themselves: a session has no
 * scopes, it may do whatever its user may.
 *
 * @throws TypeError without a scope.
 */
export function requireScope(gate: Gate, scope: string | readonly string[]): Guard {
  const scopes = typeof scope === 'string' ? [scope] : [...scope]
  if (scopes.length === 0 || !scopes.every(one => SCOPE.test(one))) {
    throw new TypeError('requireScope: expected the name of a scope, or several')
  }
  return userGuard(gate, { forbids: true }, ({ grant }) => {
    if (grant !== null && !scopes.every(one => grant.scopes.includes(one))) {
      throw Object.assign(new errors.FST_BAU_SCOPE_REQUIRED(), { scope: scopes.join(' ') })
    }
  })
}
