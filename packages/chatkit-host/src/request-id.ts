import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** In a request, the id somebody in front has given it; in every answer, the id it has here. */
export const REQUEST_ID_HEADER = 'x-request-id'

/** Ids as proxies and tracers make them. Nothing in them can break a log line or a header. */
const SANE = /^[\w.:/=+-]{1,128}$/

/** The id a request came with, if it can be one; else a new one. */
export function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers[REQUEST_ID_HEADER]
  return typeof given === 'string' && SANE.test(given) ? given : randomUUID()
}

/** Every answer says under which id the log speaks of it. */
export function answerWithRequestIds(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header(REQUEST_ID_HEADER, request.id)
  })
}
