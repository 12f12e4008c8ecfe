import type { FastifyReply, FastifyRequest } from 'fastify'
import { isPromise } from '../whenever.ts'

/**
 * A hook of Fastify that goes on at once when there is nothing to wait for, and answers a promise when there is. Fastify
 * takes both; one that is called by hand may leave `done` out.
 */
export type RouteHook = (
  request: FastifyRequest,
  reply: FastifyReply,
  done?: (error?: Error) => void
) => void | Promise<void>

/** @param run throws, or rejects, what the request is refused with. */
export function routeHook(run: (request: FastifyRequest, reply: FastifyReply) => unknown): RouteHook {
  return (request, reply, done) => {
    const outcome = run(request, reply)
    if (isPromise(outcome)) return outcome as Promise<void>
    done?.()
  }
}
