import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import type { Config } from '../config.ts'
import { hasToken } from '../health.ts'
import { OPERATIONAL } from '../operational.ts'
import { StartError } from '../start-error.ts'

const PATH = '/metrics'

/**
 * Serves `/metrics`, on the host's own port or on one of its own. Does nothing, and costs nothing, while METRICS is off.
 *
 * @throws StartError when that port cannot be opened.
 */
export async function metricsRoute(
  app: FastifyInstance,
  { metrics, operatorToken }: Pick<Config, 'metrics' | 'operatorToken'>
): Promise<void> {
  if (metrics === null) return
  // Only then: nobody else pays for loading it.
  const { collectMetrics } = await import('./metrics.ts')
  const registry = collectMetrics(app)
  if (metrics === 'main') {
    app.get(PATH, OPERATIONAL, async (request, reply) => {
      if (operatorToken === null || !hasToken(request, operatorToken)) {
        // As if there were none: strangers need not know.
        reply.callNotFound()
        return reply
      }
      return reply
        .header('content-type', registry.contentType)
        .header('cache-control', 'no-store')
        .send(await registry.metrics())
    })
    return
  }
  await listen(app, metrics, (request, response) => void answer(registry, operatorToken, request, response))
}

async function answer(
  registry: Registry,
  token: string | null,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const found = request.method === 'GET' && request.url?.split('?', 1)[0] === PATH
  if (!found) return void response.writeHead(404).end()
  if (token !== null && !hasToken(request, token)) {
    return void response.writeHead(401, { 'www-authenticate': 'Bearer realm="metrics"' }).end()
  }
  try {
    const text = await registry.metrics()
    response.writeHead(200, { 'content-type': registry.contentType, 'cache-control': 'no-store' }).end(text)
  } catch {
    response.writeHead(500).end()
  }
}

/** Opened with the application's own port, closed with it. */
async function listen(
  app: FastifyInstance,
  { host, port }: { host: string; port: number },
  handle: (request: IncomingMessage, response: ServerResponse) => void
): Promise<void> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, handle)
  app.addHook('onListen', async () => {
    app.log.info({ metrics: server.address() }, 'metrics are served')
  })
  app.addHook('onReady', async () => {
    await new Promise<void>((resolve, reject) => {
      server.once('error', error => {
        const { code } = error as NodeJS.ErrnoException
        reject(new StartError(`METRICS cannot be served on port ${port} of ${host} (${code}): choose another.`, error))
      })
      server.listen(port, host, resolve)
    })
  })
  app.addHook('onClose', async () => {
    server.closeAllConnections()
    await new Promise<void>(resolve => server.close(() => resolve()))
  })
}
