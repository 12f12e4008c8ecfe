import type { FastifyInstance } from 'fastify'
import type { Redis } from 'ioredis'

/** How long a request waits for Redis before it is counted elsewhere, in milliseconds. */
const PATIENCE_MS = 250

/** Connects in the background, and again whenever the connection is lost. Closed with the application. */
export async function openRedis(app: FastifyInstance, url: string): Promise<Redis> {
  // Only where it is asked for.
  const { Redis } = await import('ioredis')
  const redis = new Redis(url, {
    commandTimeout: PATIENCE_MS,
    // What cannot be asked now is not asked later: the request has been counted by then.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: times => Math.min(times * 200, 5_000)
  })
  // The limiter says it, once, when a request is concerned.
  redis.on('error', error => app.log.debug({ err: error }, 'Redis'))
  app.addHook('onClose', async () => redis.disconnect())
  return redis
}
