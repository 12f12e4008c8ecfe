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

export interface Gate {
  /**
   * Lets a request in or turns it away. Authenticates once a request, however many hooks and guards ask.
   *
   * @throws an error of the table in errors.ts; its challenge is on the reply by then, where a custom error handler keeps it.
   */
  admit(request: FastifyRequest, reply: FastifyReply, mode: Exclude<AuthMode, false>): Promise<Authentication>
  /** Puts the headers that belong to an error on the reply, and returns the error to throw. */
  refuse(reply: FastifyReply, error: unknown): unknown
}

export function createGate(pipeline: Pipeline, { realm, logAttempts, onDecision, token }: GateOptions): Gate {
  const attempts = new WeakMap<FastifyRequest, Promise<Authentication>>()
  return { admit, refuse }

  async function admit(request: FastifyRequest, reply: FastifyReply, mode: Exclude<AuthMode, false>) {
    let attempt = attempts.get(request)
    if (attempt === undefined) {
      attempt = authenticate(pipeline, request.raw)
      attempts.set(request, attempt)
      report(await attempt, request)
    }
    const authentication = await attempt
    const { identity, error } = authentication
    // The address holds the credential, so the answer must not be kept under it (RFC 6750 §2.3).
    if (token.query !== undefined && request.url.includes(`${token.query}=`)) reply.header('cache-control', 'no-store')
    if (error !== null) throw refuse(reply, error)
    if (identity !== null) {
      request.user = identity.user
      request.authSession = identity.session
      request.authGrant = identity.grant
    } else if (mode === 'required') throw refuse(reply, new errors.FST_BAU_CREDENTIAL_MISSING())
    return authentication
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

  function refuse(reply: FastifyReply, error: unknown): unknown {
    if (!isOurs(error)) return error
    const { statusCode, code } = error
    if (statusCode === 503) reply.header('retry-after', '1')
    if (code === 'FST_BAU_TOKEN_EXPIRED') {
      reply.header('www-authenticate', challenge(realm, 'invalid_token', { error_description: EXPIRED }))
      // For error handlers that show more than the message.
      return Object.assign(error, { detail: EXPIRED })
    }
    if (code === 'FST_BAU_SESSION_NOT_FRESH') {
      const { maxAge } = error as { maxAge?: number }
      reply.header(
        'www-authenticate',
        challenge(realm, 'insufficient_user_authentication', { max_age: String(maxAge) })
      )
    } else if (code in CHALLENGES) reply.header('www-authenticate', challenge(realm, CHALLENGES[code]))
    return error
  }
}

/** Which errors are answered with a challenge, and the code it names (RFC 6750 §3.1); no code without a credential. */
const CHALLENGES: Readonly<Record<string, BearerError | undefined>> = {
  FST_BAU_CREDENTIAL_MISSING: undefined,
  FST_BAU_CREDENTIAL_MALFORMED: 'invalid_request',
  FST_BAU_CREDENTIAL_INVALID: 'invalid_token',
  FST_BAU_ROLE_REQUIRED: 'insufficient_scope',
  FST_BAU_NOT_A_MEMBER: 'insufficient_scope',
  FST_BAU_NOT_OWN_USER: 'insufficient_scope',
  FST_BAU_EMAIL_NOT_VERIFIED: 'insufficient_scope'
}

function isOurs(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && String(error.code) in errors
}
