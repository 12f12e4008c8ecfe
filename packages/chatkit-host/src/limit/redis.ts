import type { FastifyInstance } from 'fastify'
import type { Redis } from 'ioredis'
import { StartError } from '../start-error.ts'

/** How long a request waits for Redis before it is counted elsewhere, in milliseconds. */
const PATIENCE_MS = 250

/** How long the first connection may take, in milliseconds: a host does not wait for Redis to start. */
const FIRST_MS = 2000

/**
 * Connects, and again whenever the connection is lost. One that is away is said to be, and no reason not to start. Closed with the
 * application.
 *
 * @throws StartError when there is no such host, or it does not let this one in: that is no outage.
 */
export async function openRedis(app: FastifyInstance, url: string): Promise<Redis> {
  // Only where it is asked for.
  const { Redis } = await import('ioredis')
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: FIRST_MS,
    commandTimeout: PATIENCE_MS,
    // What cannot be asked now is not asked later: the request has been counted by then.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: times => Math.min(times * 200, 5_000)
  })
  let last: unknown
  // The limiter says it, once, when a request is concerned.
  redis.on('error', error => {
    last = error
    app.log.debug({ err: error }, 'Redis')
  })
  app.addHook('onClose', async () => redis.disconnect())
  try {
    await redis.connect()
    await redis.ping()
  } catch (error) {
    const problem = problemWith(new URL(url).host, last ?? error)
    if (problem instanceof StartError) {
      redis.disconnect()
      throw problem
    }
    app.log.warn(problem)
  }
  return redis
}

function problemWith(host: string, error: unknown): StartError | string {
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (code === 'ENOTFOUND')
    return new StartError(`No name server knows ${host}, the Redis of REDIS_URL: correct it.`, error)
  if (/^(NOAUTH|WRONGPASS|NOPERM|ERR AUTH|ERR invalid password)/.test(String(message)))
    return new StartError(
      `Redis at ${host} does not let this host in: correct the user and the password of REDIS_URL.`,
      error
    )
  return `Redis at ${host} cannot be reached (${code ?? message}): check REDIS_URL; until it is back, each host counts for itself.`
}
