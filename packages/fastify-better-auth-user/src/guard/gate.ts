import type { FastifyError } from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Authentication, authenticate, type Pipeline } from '../authenticate.ts'
import { publish } from '../decision.ts'
import { errors } from '../errors.ts'
import { type BearerError, challenge } from '../http/challenge.ts'
import type { TokenPlaces } from '../http/token.ts'
import type { AuthAttempt, AuthMode } from '../options.ts'

/** What seed applications show a user whose token has run out. */
const EXPIRED = 'Token has expired. Please sign in again.'

export interface GateOptions {
  realm: string
  logAttempts: boolean
  onDecision: ((attempt: AuthAttempt, request: FastifyRequest) => void) | undefined
  token: TokenPlaces
}

/**
 * Lets a request in or turns it away. Authenticates once a request, however many hooks and guards ask.
 *
 * @throws an error of the table in errors.ts; its challenge is on the reply by then, where a custom error handler keeps it.
 */
export type Gate = (request: FastifyRequest, reply: FastifyReply, mode: Exclude<AuthMode, false>) => Promise<void>

export function createGate(pipeline: Pipeline, { realm, logAttempts, onDecision, token }: GateOptions): Gate {
  const attempts = new WeakMap<FastifyRequest, Promise<Authentication>>()

  return async (request, reply, mode) => {
    let attempt = attempts.get(request)
    if (attempt === undefined) {
      attempt = authenticate(pipeline, request.raw)
      attempts.set(request, attempt)
      report(await attempt, request)
    }
    const { identity, error } = await attempt
    // The address holds the credential, so the answer must not be kept under it (RFC 6750 §2.3).
    if (token.query !== undefined && request.url.includes(`${token.query}=`)) reply.header('cache-control', 'no-store')
    if (error !== null) throw refuse(reply, error)
    if (identity === null) {
      if (mode === 'required') throw refuse(reply, new errors.FST_BAU_CREDENTIAL_MISSING())
      return
    }
    request.user = identity.user
    request.authSession = identity.session
    request.authGrant = identity.grant
  }

  function report({ decision, claims, identity, error }: Authentication, request: FastifyRequest): void {
    publish(decision)
    if (logAttempts) {
      if (decision.outcome === 'unavailable') {
        request.log.error({ auth: decision, err: error?.cause }, 'authentication unavailable')
      } else if (decision.outcome === 'anonymous') request.log.debug({ auth: decision }, 'no credential')
      else request.log.info({ auth: decision }, decision.outcome)
    }
    onDecision?.({ decision, claims, identity }, request)
  }

  function refuse(reply: FastifyReply, error: FastifyError): FastifyError {
    const description = error.code === 'FST_BAU_TOKEN_EXPIRED' ? EXPIRED : undefined
    if (error.statusCode === 401 || error.statusCode === 400) {
      reply.header('www-authenticate', challenge(realm, bearerError(error), description))
    }
    if (error.statusCode === 503) reply.header('retry-after', '1')
    // For error handlers that show more than the message.
    return description === undefined ? error : Object.assign(error, { detail: description })
  }
}

function bearerError(error: FastifyError): BearerError | undefined {
  if (error.code === 'FST_BAU_CREDENTIAL_MISSING') return undefined
  return error.statusCode === 400 ? 'invalid_request' : 'invalid_token'
}
