import { APIError } from 'better-auth/api'
import type { FastifyInstance } from 'fastify'

/** Answers every error as `{ success: false, detail, code }`; what a server error was about stays in the log. */
export function replyToErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const { status, code, detail } = describe(error)
    if (status >= 500) request.log.error({ err: error }, 'request failed')
    if (status === 503) reply.header('retry-after', '1')
    return reply.code(status).send({ success: false, detail, code })
  })
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ success: false, detail: 'Nothing answers at this address', code: 'NOT_FOUND' })
  )
}

function describe(error: unknown): { status: number; code: string; detail: string } {
  if (isOutage(error)) return { status: 503, code: 'UNAVAILABLE', detail: 'Try again later' }
  if (error instanceof APIError) {
    const code = error.body?.code ?? 'REFUSED'
    if (code === 'INVALID_EMAIL_OR_PASSWORD') return { status: 401, code, detail: 'Invalid email or password' }
    // Better Auth's 422, such as an e-mail address that is taken, is one more thing wrong with the request.
    if (error.statusCode < 500) return { status: 400, code, detail: error.body?.message ?? 'The request was refused' }
  }
  const { statusCode, code, detail, message } = error as Record<string, unknown>
  const status = typeof statusCode === 'number' ? statusCode : 500
  if (status >= 500 && status !== 503) return { status, code: 'INTERNAL_ERROR', detail: 'Something went wrong here' }
  return { status, code: String(code ?? 'REFUSED'), detail: String(detail ?? message) }
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
