import type { Operation } from './operation.ts'
import * as list from './operations.ts'

// Each operation's params are checked by its own schema before they are handed to it.
const byType = new Map((Object.values(list) as unknown as Operation[]).map(operation => [operation.type, operation]))

/** The operation a request's `type` names, or `undefined`. */
export function findOperation(type: string): Operation | undefined {
  return byType.get(type)
}

/** Every request type, as named on the wire. */
export const operationTypes: readonly string[] = [...byType.keys()]
