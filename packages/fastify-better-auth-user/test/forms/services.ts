import {
  type BetterAuthUserOptions,
  layeredIdentityStore,
  postgresIdentityStore,
  postgresUserStore,
  secondaryStorageIdentityStore
} from 'fastify-better-auth-user'
import { type BetterAuthServer, SECRET } from '../fixtures/better-auth.ts'
import { AUDIENCE, ISSUER, type KeyValueStorage, type Outbox, RESOURCE } from './deployments.ts'

export const OTHER_SECRET = 'wT7pL2kQ9xZ4vB8nM1cR6yH3jF5dG0sA'
export const NEW_SECRET = 'aP3sD6fG9hJ2kL5zX8cV1bN4mQ7wE0rT'

/** A running Better Auth and what its configuration handed out. */
export interface Deployment {
  server: BetterAuthServer
  secret: string
  outbox: Outbox
  storage: KeyValueStorage
}

/** How the service beside it is configured. */
export const services = {
  /** Everything on, keys from the table. */
  default: ({ server }: Deployment) => ({ hs256: true, keySet: keySet(server, 'database') }),
  'keys by URL': ({ server }) => ({ hs256: true, keySet: keySet(server, `${server.url}/api/auth/jwks`) }),
  /** Tables older than 1.7 do not say which of its two an RSA key is for. */
  'RSA keys are for PS256': ({ server }) => ({ keySet: { ...keySet(server, 'database'), rsaAlgorithm: 'PS256' } }),
  /** Or else keys replaced within seconds would have to wait for each other. */
  'no cooldown': ({ server }) => ({ keySet: { ...keySet(server, 'database'), cooldownMs: 0 } }),
  'cookie prefix': () => ({ cookie: { cookiePrefix: 'my-app' } }),
  'cookie name': () => ({ cookie: { name: 'sid' } }),
  'signed only': () => ({ requireSignature: true }),
  'other issuer': () => ({ keySet: { source: 'database', issuer: ISSUER, audience: AUDIENCE } }),
  'HS256 only': () => ({ hs256: true }),
  'HS256 with issuer': ({ server }) => ({ hs256: { issuer: server.origin } }),
  'two secrets': () => ({ secret: [NEW_SECRET, SECRET] }),
  'API keys': () => ({ apiKey: true }),
  OAuth: ({ server }) => ({
    hs256: true,
    keySet: keySet(server, 'database'),
    oauth: { issuer: `${server.origin}/api/auth`, audience: RESOURCE }
  }),
  'secondary storage': deployment => ({
    hs256: true,
    keySet: keySet(deployment.server, 'database'),
    identityStore: storageStore(deployment)
  }),
  'secondary storage, then database': deployment => ({
    hs256: true,
    keySet: keySet(deployment.server, 'database'),
    identityStore: layeredIdentityStore(storageStore(deployment), postgresIdentityStore(deployment.server.pool))
  })
} satisfies Record<string, (deployment: Deployment) => BetterAuthUserOptions>

export type ServiceName = keyof typeof services

function keySet({ origin }: BetterAuthServer, source: string): NonNullable<BetterAuthUserOptions['keySet']> {
  return { source, issuer: origin, audience: origin }
}

function storageStore({ server, storage }: Deployment) {
  return secondaryStorageIdentityStore({ storage, users: postgresUserStore(server.pool) })
}
