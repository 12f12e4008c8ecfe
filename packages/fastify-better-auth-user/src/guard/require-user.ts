import type { onRequestAsyncHookHandler } from 'fastify'
import type { Gate } from './gate.ts'

/**
 * A route hook that lets only signed-in users through; works as `onRequest`, `preValidation` or `preHandler`.
 * In `onRequest` a stranger's body is never read.
 */
export function requireUser(gate: Gate): onRequestAsyncHookHandler {
  return (request, reply) => gate(request, reply, 'required')
}
