import Fastify from 'fastify'
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
  return { app, close: () => pool.end() }
}
