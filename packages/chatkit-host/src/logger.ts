import type { FastifyRequest, FastifyServerOptions } from 'fastify'
import type { Config } from './config.ts'

/**
 * What is logged, and how: JSON lines that hold no credential. Headers and bodies are not logged at all, and of an address
 * only the route's pattern; of one that has no route the path without anything as long as a token, since a query or a link
 * in an e-mail may carry one.
 */
export function loggerOptions(
  { logLevel }: Pick<Config, 'logLevel'>,
  stream?: { write(line: string): void }
): NonNullable<FastifyServerOptions['logger']> {
  return {
    level: logLevel,
    serializers: { req: describeRequest },
    // Should a later line log headers after all. What Redis refuses is repeated with its arguments: of AUTH, the password.
    redact: [
      'req.headers.authorization',
      'req.headers.cookie',
      'res.headers["set-cookie"]',
      'err.command',
      ...ROW_VALUES
    ],
    ...(stream === undefined ? {} : { stream })
  }
}

/** Where an error of PostgreSQL repeats what was in a row: `Key (email)=(ada@example.com) already exists.` */
const ROW_VALUES = ['err.detail', 'err.where', 'err.internalQuery', 'err.parameters']

function describeRequest(request: FastifyRequest) {
  return {
    method: request.method,
    url: request.routeOptions?.url ?? shortWords(request.url),
    remoteAddress: request.ip
  }
}

function shortWords(url: string): string {
  return (url.split(/[?#]/, 1)[0] ?? '').replace(/[^/]{16,}/g, '…').slice(0, 100)
}
