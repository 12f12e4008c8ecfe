import type { Gate } from './gate.ts'
import { type Guard, userGuard } from './guard.ts'

/** Lets signed-in users through. */
export function requireUser(gate: Gate): Guard {
  return userGuard(gate, { forbids: false }, null)
}
