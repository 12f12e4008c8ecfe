import { type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyHttpOptions } from 'fastify'
import type { Config } from './config.ts'
import { sendError } from './error-reply.ts'
import { loggerOptions } from './logger.ts'
import { requestId } from './request-id.ts'

/**
 * How the server treats a connection before anybody knows whose it is: what is logged of it, whose address it has, and how
 * long it may take. Nothing here ends a stream: what is open and silent is kept alive by its heartbeat.
 */
export function serverOptions(
  config: Pick<Config, 'logLevel' | 'trustProxy' | 'requestTimeoutMs'>,
  logStream?: { write(line: string): void }
): FastifyHttpOptions<Server> {
  const { trustProxy, requestTimeoutMs } = config
  return {
    logger: loggerOptions(config, logStream),
    genReqId: requestId,
    trustProxy: trustProxy.length > 0 && [...trustProxy],
    // Whoever sends a byte a minute would hold a connection for ever.
    requestTimeout: requestTimeoutMs,
    // Once open answers have ended. What is idle, or was never sent to its end, is not waited for.
    forceCloseConnections: true,
    http: {
      headersTimeout: Math.ceil(requestTimeoutMs / 4),
      connectionsCheckingInterval: Math.min(5_000, Math.ceil(requestTimeoutMs / 8))
    },
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply),
    clientErrorHandler: refuseConnection
  }
}

/** What never became a request: slow, too large, or no HTTP. Answered in the shape of every error. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const [status, sentence, code] = REFUSALS[error.code ?? ''] ?? [400, 'This is no HTTP request', 'BAD_REQUEST']
  const body = JSON.stringify({ error: sentence, status, message: sentence, code })
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
    )
  }
  socket.destroy(error)
}

const REFUSALS: Readonly<Record<string, [status: number, sentence: string, code: string] | undefined>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request was not sent in time', 'REQUEST_TIMEOUT'],
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large', 'HEADERS_TOO_LARGE']
}
