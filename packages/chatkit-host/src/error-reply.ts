import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isOutage } from './database-errors.ts'
import { REQUEST_ID_HEADER } from './request-id.ts'

/** What a client is told about anything that went wrong. */
export interface ErrorBody {
  /** A sentence, for people. */
  error: string
  status: number
  /** The same sentence, where ChatKit's front end looks for it. */
  message: string
  /** For programs; stable. */
  code: string
  /** More for people, where there is more. */
  detail?: string
  /** What the log calls the request, as does the header `x-request-id`. */
  requestId?: string
}

/** Answers every error of the application, unknown addresses included, in one shape. */
export function replyToErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply))
  app.setNotFoundHandler((request, reply) => {
    const sentence = `Nothing answers ${request.method} at this address`
    return send(request, reply, { error: sentence, status: 404, message: sentence, code: 'NOT_FOUND' })
  })
}

/** Also for errors before routing, which Fastify hands to its option `frameworkErrors`. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const body = errorBody(error)
  // An outage that a plugin has put into its own words, it has logged as well; this is for everything else.
  if (body.status >= 500) request.log.error({ err: error, code: body.code }, 'request failed')
  else request.log.debug({ code: body.code, status: body.status }, 'request refused')
  const retryAfter = retryAfterOf(error) ?? (body.status === 503 ? 1 : null)
  if (retryAfter !== null && !reply.hasHeader('retry-after')) reply.header('retry-after', String(retryAfter))
  return send(request, reply, body)
}

/** What may be told of an error. A server error keeps its cause, and mostly its words, to the log. */
export function errorBody(error: unknown): ErrorBody {
  const { statusCode, code, detail, message } = fieldsOf(error)
  if (statusCode === undefined && isOutage(error)) {
    return body('The database cannot be reached; try again later', 503, 'DATABASE_UNAVAILABLE')
  }
  if (statusCode === undefined || statusCode >= 500) {
    // Words written for the public: those of a plugin that says it is unavailable.
    if (statusCode === 503 && code?.startsWith('FST_')) return body(message, 503, code)
    return body('Something went wrong here; try again later', statusCode ?? 500, code ?? 'INTERNAL_ERROR')
  }
  return { ...body(message, statusCode, code ?? `HTTP_${statusCode}`), ...(detail === undefined ? {} : { detail }) }
}

function body(sentence: string, status: number, code: string): ErrorBody {
  return { error: sentence, status, message: sentence, code }
}

function fieldsOf(error: unknown) {
  const { statusCode, code, detail, message } = (error ?? {}) as Record<string, unknown>
  const isStatus = typeof statusCode === 'number' && statusCode >= 400 && statusCode <= 599
  return {
    statusCode: isStatus ? statusCode : undefined,
    code: typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code) ? code : undefined,
    detail: typeof detail === 'string' ? detail : undefined,
    message: typeof message === 'string' && message !== '' ? message : 'The request was refused'
  }
}

/** Seconds, where an error says so. */
function retryAfterOf(error: unknown): number | null {
  const { retryAfter } = (error ?? {}) as { retryAfter?: unknown }
  return typeof retryAfter === 'number' ? retryAfter : null
}

function send(request: FastifyRequest, reply: FastifyReply, body: ErrorBody): FastifyReply {
  // Errors from before the first hook have it not yet.
  reply.header(REQUEST_ID_HEADER, request.id)
  // A stream that failed before its first byte has already said what it would be.
  reply.status(body.status).header('content-type', 'application/json; charset=utf-8')
  return reply.send({ ...body, requestId: request.id })
}
