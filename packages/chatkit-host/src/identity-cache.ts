import type { FastifyInstance } from 'fastify'
import { type BetterAuthUserOptions, postgresRevocations, revocationMigrations } from 'fastify-better-auth-user'
import pg from 'pg'
import type { Config } from './config.ts'
import { type Migration, poolOptions } from './database.ts'

type Cached = Pick<Config, 'identityCache' | 'unpooledUrl'>

/** Whether identities are kept, and where changes to them are heard. */
export function identityCache(app: FastifyInstance, config: Cached): BetterAuthUserOptions['cache'] {
  const { identityCache, unpooledUrl } = config
  if (!identityCache || unpooledUrl === null) return identityCache
  return { channel: postgresRevocations({ database: app.pg.pool, connect: () => connectDirectly(unpooledUrl) }) }
}

async function connectDirectly(url: string): Promise<pg.Client> {
  const client = new pg.Client(poolOptions(url))
  // It may break before it is listened to.
  client.on('error', () => {})
  await client.connect()
  return client
}

/** Triggers on Better Auth's tables that tell of changes. */
export const identityCacheMigration: Migration = async pool => {
  const made = await revocationMigrations(pool).up()
  return made.length === 0 ? null : `revocation triggers on ${made.join(' and ')}`
}
