import Fastify, { type FastifyInstance } from 'fastify'
import { type ChatKitOptions, chatkit, migrateChatkit, postgresThreadStore } from 'fastify-chatkit'
import pg from 'pg'
import { scriptedHooks } from './scripted-hooks.ts'

/**
 * The server the recordings are replayed against: threads in Postgres, answers by script, the owner from the header `x-user`.
 *
 * @param connectionString a database of its own; its tables are made.
 */
export async function scriptedServer(
  connectionString: string,
  options: Partial<ChatKitOptions> & { port?: number; logger?: boolean } = {}
): Promise<{ app: FastifyInstance; url: string }> {
  const { port = 0, logger = false, ...more } = options
  const pool = new pg.Pool({ connectionString, max: 10 })
  pool.on('error', () => undefined)
  await migrateChatkit(pool)
  const app = Fastify({ logger, forceCloseConnections: true })
  app.addHook('onClose', async () => await pool.end())
  await app.register(chatkit, {
    owner: request => {
      const user = request.headers['x-user']
      if (typeof user === 'string' && user !== '') return user
      throw Object.assign(new Error('The header x-user says who asks'), { statusCode: 401 })
    },
    threadStore: postgresThreadStore(pool),
    ...scriptedHooks(),
    persistWidgetUpdates: true,
    // The recordings have it in every message.
    keepUploadDescriptor: true,
    ...more
  })
  const address = await app.listen({ host: '127.0.0.1', port })
  return { app, url: `${address}/chatkit` }
}
