import rateLimit, { type CreateRateLimitOptions } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Redis } from 'ioredis'

/** What one limit is. */
export interface Limit {
  /** Tells it apart from other limits. */
  name: string
  /** Times a minute; 0 is no limit. */
  max: number
  /** Whom it counts. */
  key: (request: FastifyRequest) => string
}

/** Counts a request. @returns seconds after which to come again when it was one too many, else `null`. */
export type Counter = (request: FastifyRequest) => Promise<number | null>

export type CreateCounter = (limit: Limit) => Counter

/** A counter of whatever it is given: for a limit of 0. */
const never: Counter = async () => null

/**
 * Counts requests in Redis, for all hosts that share it; without one, in this process.
 *
 * A Redis that is away neither opens the gates nor closes them: until it is back, each host counts for itself.
 */
export async function openLimiter(app: FastifyInstance, redis: Redis | null): Promise<CreateCounter> {
  const local = await counters(app, {})
  const shared = redis === null ? null : await counters(app, { redis, nameSpace: 'chatkit-host:limit:' })
  let away = false
  return limit => {
    if (limit.max === 0) return never
    const here = local(limit)
    const together = shared?.(limit)
    return async request => {
      if (together === undefined) return here(request)
      try {
        const seconds = await together(request)
        if (away) app.log.warn('Redis is back: limits are counted together again')
        away = false
        return seconds
      } catch (error) {
        if (!away) app.log.error({ err: error }, 'Redis is away: limits are counted by each host for itself')
        away = true
        return here(request)
      }
    }
  }
}

async function counters(app: FastifyInstance, store: { redis?: Redis; nameSpace?: string }): Promise<CreateCounter> {
  let create: FastifyInstance['createRateLimit'] | undefined
  // In a scope of its own: two of them would quarrel over names.
  await app.register(async scope => {
    await scope.register(rateLimit, { global: false, ...store })
    create = scope.createRateLimit
  })
  return ({ name, max, key }) => {
    const options: CreateRateLimitOptions = {
      max,
      timeWindow: '1 minute',
      keyGenerator: request => `${name}:${key(request)}`
    }
    const count = create?.(options)
    return async request => {
      const result = await count?.(request)
      if (result === undefined || result.isAllowed || !result.isExceeded) return null
      return Math.max(1, result.ttlInSeconds)
    }
  }
}
