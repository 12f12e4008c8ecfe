import { errors } from '../errors.ts'
import type { Gate } from './gate.ts'
import { type Guard, userGuard } from './guard.ts'

/** Lets through users whose e-mail address Better Auth has verified. */
export function requireVerifiedEmail(gate: Gate): Guard {
  return userGuard(gate, { forbids: true }, ({ user }) => {
    if (user.emailVerified !== true) throw new errors.FST_BAU_EMAIL_NOT_VERIFIED()
  })
}
