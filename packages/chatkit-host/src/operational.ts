import type { FastifyContextConfig } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A route for whoever runs the host: answered also when others are told to wait, and logged only when it fails. */
    operational?: boolean
  }
}

/** Options of such a route. */
export const OPERATIONAL = {
  config: { auth: false, operational: true } satisfies FastifyContextConfig,
  logLevel: 'warn'
} as const
