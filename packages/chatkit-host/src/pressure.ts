import { getHeapStatistics } from 'node:v8'
import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import type { Config } from './config.ts'

/** Of the memory Node may use. Above it, collecting garbage takes longer than answering. */
const HEAP_SHARE = 0.95

/**
 * Tells new requests to come back while the process cannot keep up; whoever is being answered goes on being answered.
 *
 * @throws FST_UNDER_PRESSURE 503, for each such request.
 */
export async function refuseUnderPressure(
  app: FastifyInstance,
  { maxEventLoopDelayMs }: Pick<Config, 'maxEventLoopDelayMs'>
): Promise<void> {
  if (maxEventLoopDelayMs === 0) return
  await app.register(underPressure, {
    maxEventLoopDelay: maxEventLoopDelayMs,
    maxHeapUsedBytes: Math.floor(getHeapStatistics().heap_size_limit * HEAP_SHARE),
    pressureHandler: async (request, _reply, type) => {
      if (request.routeOptions.config.operational) return
      throw Object.assign(new Error('The server is busy; try again in a few seconds', { cause: type }), {
        statusCode: 503,
        code: 'FST_UNDER_PRESSURE',
        retryAfter: 5
      })
    }
  })
}
