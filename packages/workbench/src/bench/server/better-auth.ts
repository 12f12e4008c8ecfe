import { betterAuth } from 'better-auth'
import { fromNodeHeaders } from 'better-auth/node'
import { bearer, jwt } from 'better-auth/plugins'
import Fastify from 'fastify'
import { openPool } from './pool.ts'
import type { Built } from './servers.ts'

export interface BetterAuthSettings {
  connectionString: string
  secret: string
  /** `bearer-jwt`: with both plugins. `cookie-cache`: a session is believed for an hour without asking the database. */
  set: 'no plugins' | 'bearer-jwt' | 'cookie-cache'
}

/** `auth.api.getSession` in a route, as Better Auth's own page about Fastify has it. */
export async function build({ connectionString, secret, set }: BetterAuthSettings): Promise<Built> {
  const pool = openPool(connectionString)
  const auth = betterAuth({
    secret,
    baseURL: 'http://127.0.0.1',
    database: pool,
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    session: { cookieCache: { enabled: set === 'cookie-cache', maxAge: 3600 } },
    plugins: set === 'bearer-jwt' ? [bearer(), jwt()] : []
  })
  const app = Fastify()
  app.get('/me', async (request, reply) => {
    const found = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) })
    if (found === null) return reply.code(401).send()
    return { id: found.user.id }
  })
  return {
    app,
    deeds: {
      /** The `Cookie` headers a browser would send back, once the cookies of the cache were set. */
      async cookies(cookies: string[]): Promise<string[]> {
        const whole: string[] = []
        for (const cookie of cookies) {
          const { headers } = await auth.api.getSession({ headers: new Headers({ cookie }), returnHeaders: true })
          const set = headers.getSetCookie().map(line => line.slice(0, line.indexOf(';')))
          whole.push([cookie, ...set.filter(pair => !cookie.startsWith(pair.slice(0, pair.indexOf('='))))].join('; '))
        }
        return whole
      }
    },
    close: () => pool.end()
  }
}
