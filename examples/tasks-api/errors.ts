import { STATUS_CODES } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** Answers every error in Fastify's own shape and a `detail`; what a server error was about stays in the log. */
export function replyToErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const { status, code, message, detail = message } = describe(error)
    if (status >= 500) request.log.error({ err: error }, 'request failed')
    if (status === 503) reply.header('retry-after', '1')
    return reply.code(status).send({ statusCode: status, code, error: STATUS_CODES[status], message, detail })
  })
  app.setNotFoundHandler(async () => {
    throw Object.assign(new Error('Nothing answers at this address'), { statusCode: 404, code: 'NOT_FOUND' })
  })
}

function describe(error: unknown): { status: number; code: string; message: string; detail?: string } {
  if (isOutage(error)) return { status: 503, code: 'UNAVAILABLE', message: 'Try again later' }
  const { statusCode, code, message, detail } = error as Record<string, unknown>
  const status = typeof statusCode === 'number' ? statusCode : 500
  if (status >= 500 && status !== 503) return { status, code: 'INTERNAL_ERROR', message: 'Something went wrong here' }
  const known = { status, code: String(code ?? 'REFUSED'), message: String(message) }
  return typeof detail === 'string' ? { ...known, detail } : known
}

/** The database cannot be reached, stops, or takes no more connections (SQLSTATE classes 08, 57P, 53300). */
function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, syscall } = error as Error & { code?: unknown; syscall?: unknown }
  return (
    syscall !== undefined ||
    /^(08\w{3}|57P0\d|53300)$/.test(String(code)) ||
    /^(Connection terminated|timeout exceeded when trying to connect)/.test(error.message) ||
    isOutage(error.cause)
  )
}
