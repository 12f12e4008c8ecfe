import Fastify, { type FastifyInstance } from 'fastify'
import { type BetterAuthUserOptions, betterAuthUser, currentUser } from 'fastify-better-auth-user'
import { openPool } from './pool.ts'
import type { Built } from './servers.ts'

/** The plugin as its README shows it, its options but for the database. */
export interface PluginSettings {
  connectionString: string
  options: Omit<BetterAuthUserOptions, 'database'>
}

export async function build({ connectionString, options }: PluginSettings): Promise<Built> {
  const pool = openPool(connectionString)
  const app = Fastify()
  await app.register(betterAuthUser, { ...options, database: pool })
  app.get('/me', { onRequest: app.requireUser() }, async request => ({ id: currentUser(request).id }))
  if (options.cache) {
    await app.betterAuthUser.migrations.up()
    await app.ready()
    await cacheIsTrusted(app)
  }
  return { app, deeds: { stats: () => app.betterAuthUser.stats() }, close: () => pool.end() }
}

/** A cache that is not trusted is not used: without this, fresh mode would be measured under its name. */
async function cacheIsTrusted(app: FastifyInstance): Promise<void> {
  for (let tries = 0; app.betterAuthUser.stats().cache?.trusted !== true; tries++) {
    if (tries > 500) throw new Error(`The cache is not trusted: ${JSON.stringify(app.betterAuthUser.stats())}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
