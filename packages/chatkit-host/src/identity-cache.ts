import type { FastifyInstance } from 'fastify'
import { type BetterAuthUserOptions, postgresRevocations, revocationMigrations } from 'fastify-better-auth-user'
import pg from 'pg'
import type { Config } from './config.ts'
import { type Migration, poolOptions } from './database.ts'
import { refusal } from './database-errors.ts'
import { StartError } from './start-error.ts'

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

/**
 * That DATABASE_URL_UNPOOLED, where it is used, leads to a PostgreSQL that lets this host in.
 *
 * @throws StartError
 */
export async function checkUnpooled({ identityCache, unpooledUrl }: Cached): Promise<void> {
  if (!identityCache || unpooledUrl === null) return
  try {
    const client = await connectDirectly(unpooledUrl)
    await client.end()
  } catch (error) {
    const reason = refusal(unpooledUrl, error)?.replaceAll('DATABASE_URL', 'DATABASE_URL_UNPOOLED')
    throw reason === undefined ? error : new StartError(reason, error)
  }
}

/** Triggers on Better Auth's tables that tell of changes. */
export const identityCacheMigration: Migration = async pool => {
  const made = await revocationMigrations(pool).up()
  return made.length === 0 ? null : `revocation triggers on ${made.join(' and ')}`
}
