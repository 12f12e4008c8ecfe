import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Authentication } from '../authenticate.ts'
import type { Claims, Identity } from '../types.ts'
import { isPromise } from '../whenever.ts'
import type { Gate } from './gate.ts'
import { type RouteHook, routeHook } from './route-hook.ts'

/** A route hook that refuses; works as `onRequest`, `preValidation` or `preHandler`. In `onRequest` a stranger's body is never read. */
export type Guard = RouteHook

/** What is known of a guard before any request: for checks at start and for API documents. */
export interface GuardFacts {
  /** Whether strangers pass. */
  optional: boolean
  /** Whether it may answer 403. */
  forbids: boolean
  /** Route parameter it reads. */
  param?: string
}

/** A signed-in caller, as a guard sees one. */
export interface Caller extends Identity {
  claims: Claims
}

const facts = new WeakMap<object, GuardFacts>()

/** The facts of a route hook, or `undefined` when it is none of our guards. */
export function factsOf(hook: unknown): GuardFacts | undefined {
  return typeof hook === 'function' ? facts.get(hook) : undefined
}

/** A guard that lets strangers pass, though not bad credentials. */
export function optionalGuard(gate: Gate): Guard {
  return define({ optional: true, forbids: false }, (request, reply) => gate.admit(request, reply, 'optional'))
}

/**
 * A guard for signed-in users who also meet a condition.
 *
 * @param check throws what the caller is refused with; the gate adds the challenge. `null`: being signed in is enough.
 */
export function userGuard(
  gate: Gate,
  more: Pick<GuardFacts, 'forbids' | 'param'>,
  check: ((caller: Caller, request: FastifyRequest) => void | Promise<void>) | null
): Guard {
  return define({ optional: false, ...more }, (request, reply) => {
    const attempt = gate.admit(request, reply, 'required')
    return isPromise(attempt) ? meetLater(request, reply, attempt) : meet(request, reply, attempt)
  })

  function meet(request: FastifyRequest, reply: FastifyReply, attempt: Authentication): undefined | Promise<void> {
    try {
      const { identity, claims } = attempt
      // The gate lets nobody else pass; without this line a mistake there would be an open door.
      if (identity === null || claims === null) throw new Error('a guard was reached without a user')
      const checked = check?.({ ...identity, claims }, request)
      return isPromise(checked) ? orRefuse(request, reply, attempt, checked) : undefined
    } catch (error) {
      return gate.refuse(request, reply, attempt, error)
    }
  }

  async function meetLater(request: FastifyRequest, reply: FastifyReply, attempt: Promise<Authentication>) {
    return meet(request, reply, await attempt)
  }

  async function orRefuse(
    request: FastifyRequest,
    reply: FastifyReply,
    attempt: Authentication,
    checked: Promise<void>
  ) {
    try {
      await checked
    } catch (error) {
      await gate.refuse(request, reply, attempt, error)
    }
  }
}

function define(about: GuardFacts, run: Parameters<typeof routeHook>[0]): Guard {
  const guard = routeHook(run)
  facts.set(guard, about)
  return guard
}
