import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'

/** Half a year, in seconds. */
const HSTS_SECONDS = 15_552_000

/**
 * What browsers are told about every answer: it is data, of no page, for nobody's frame. A route with a page sets its own
 * `content-security-policy` on the reply, or `{ helmet: … }` in its options.
 */
export async function securityHeaders(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    frameguard: { action: 'deny' },
    // Pages of CORS_ORIGINS may read what they fetch; who they are, CORS says.
    crossOriginResourcePolicy: { policy: 'same-site' },
    strictTransportSecurity: false
  })
  // Said over plain HTTP it is void (RFC 6797 §7.2). Behind a proxy, TRUST_PROXY makes its `x-forwarded-proto` count.
  app.addHook('onRequest', async (request, reply) => {
    if (request.protocol === 'https') reply.header('strict-transport-security', `max-age=${HSTS_SECONDS}`)
  })
}
