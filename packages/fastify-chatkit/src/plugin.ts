import type { FastifyPluginAsync } from 'fastify'
import { OpenReplies } from './http/open-replies.ts'
import { makeHandler } from './http/route.ts'
import { type ChatKitOptions, resolveOptions } from './options.ts'
import { Runs } from './stream/runs.ts'

/**
 * Adds one POST route that answers ChatKit requests. It does not authenticate: give it a guard, and tell it whose threads these are.
 *
 * ```ts
 * await app.register(chatkit, {
 *   path: '/support/chatkit',
 *   onRequest: app.requireUser(),
 *   owner: request => currentUser(request).id,
 *   threadStore: postgresThreadStore(app.pg),
 *   respond: turn => say(turn, 'Hello')
 * })
 * ```
 *
 * Not wrapped in fastify-plugin: hooks and parsers of the application stay as they are.
 *
 * @throws TypeError for an option that cannot be meant.
 */
export const chatkit: FastifyPluginAsync<ChatKitOptions> = async (app, options) => {
  const resolved = resolveOptions(options)
  const { busyThread, detachedRunMs, limits } = resolved
  const runs = new Runs({ busyThread, detachedRunMs, openStreams: limits.openStreams, streamMs: limits.streamMs })
  const replies = new OpenReplies()
  // Open streams would keep the server from closing.
  app.addHook('preClose', async () => {
    await runs.close()
    await replies.close()
  })
  app.post(resolved.path, { ...resolved.hooks, bodyLimit: limits.bodyBytes }, makeHandler(resolved, runs, replies))
}
