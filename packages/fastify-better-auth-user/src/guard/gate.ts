import { tracingChannel } from 'node:diagnostics_channel'
import type { FastifyError } from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Authentication, authenticate, type Pipeline } from '../authenticate.ts'
import { type AuthDecision, publish } from '../decision.ts'
import { errors, loggable } from '../errors.ts'
import { type BearerError, challenge } from '../http/challenge.ts'
import { queryToken } from '../http/token.ts'
import type { AuthAttempt, AuthMode, CheckedOptions } from '../options.ts'
import { isPromise, whenever } from '../whenever.ts'

/** What seed applications show a user whose token has run out. */
const EXPIRED = 'Token has expired. Please sign in again.'

export type GateOptions = Pick<
  CheckedOptions,
  'realm' | 'logAttempts' | 'token' | 'onAuthenticated' | 'onRejected' | 'mapError'
>

type Mode = Exclude<AuthMode, false>

export interface Gate {
  /** Name of the property in which a request keeps its attempt. */
  readonly attempt: symbol
  /**
   * Lets a request in or turns it away. Authenticates once a request, however many hooks and guards ask.
   *
   * @throws an error of the table in errors.ts; its challenge is on the reply by then, where a custom error handler keeps it.
   */
  admit(request: FastifyRequest, reply: FastifyReply, mode: Mode): Authentication | Promise<Authentication>
  /** Whether a request was let in before, as somebody: so whatever its route needs, it has. */
  isIn(request: FastifyRequest): boolean
  /** Turns an admitted request away after all: sets the headers that belong to the error, tells who asked to be told, throws. */
  refuse(request: FastifyRequest, reply: FastifyReply, attempt: Authentication, error: unknown): Promise<never>
  /** Sets the headers that belong to an error of ours that somebody else threw. */
  complete(reply: FastifyReply, error: unknown): void
}

/** Spans of each authentication, for tracers; its events carry `{ request, decision }`. */
const tracing = tracingChannel<'fastify-better-auth-user:authenticate', Trace>('fastify-better-auth-user:authenticate')

interface Trace {
  request: FastifyRequest
  /** `null` until the end. */
  decision: AuthDecision | null
}

export function createGate(pipeline: Pipeline, options: GateOptions): Gate {
  const { realm, logAttempts, token, onAuthenticated, onRejected, mapError } = options
  // A property costs less than a map of requests. One of this gate's own: whom another lets in, it may not know.
  const ATTEMPT: unique symbol = Symbol('fastify-better-auth-user.attempt')
  type Attempted = FastifyRequest & { [ATTEMPT]: Authentication | Promise<Authentication> | null }
  return { attempt: ATTEMPT, admit, isIn, refuse, complete }

  function admit(request: FastifyRequest, reply: FastifyReply, mode: Mode) {
    // The address holds the credential, so the answer must not be kept under it (RFC 6750 §2.3).
    if (token.query !== undefined && queryToken(request.raw, token.query) !== null) {
      reply.header('cache-control', 'no-store')
    }
    const attempted = request as Attempted
    const attempt = attempted[ATTEMPT] ?? begin(request, reply)
    attempted[ATTEMPT] = attempt
    return isPromise(attempt) ? judgeLater(request, reply, attempt, mode) : judge(request, reply, attempt, mode)
  }

  function isIn(request: FastifyRequest): boolean {
    const attempt = (request as Attempted)[ATTEMPT]
    return attempt ? !isPromise(attempt) && attempt.identity !== null : false
  }

  function judge(request: FastifyRequest, reply: FastifyReply, attempt: Authentication, mode: Mode) {
    const { identity, error } = attempt
    if (error !== null) return refuse(request, reply, attempt, error)
    // Not `=== 'required'`: a mode that is neither must not leave the route open.
    if (identity === null && mode !== 'optional') {
      return refuse(request, reply, attempt, new errors.FST_BAU_CREDENTIAL_MISSING())
    }
    return attempt
  }

  async function judgeLater(
    request: FastifyRequest,
    reply: FastifyReply,
    attempt: Promise<Authentication>,
    mode: Mode
  ) {
    return judge(request, reply, await attempt, mode)
  }

  function begin(request: FastifyRequest, reply: FastifyReply): Authentication | Promise<Authentication> {
    const authentication = traced(request, pipeline)
    return isPromise(authentication)
      ? settleLater(request, reply, authentication)
      : settle(request, reply, authentication)
  }

  function settle(request: FastifyRequest, reply: FastifyReply, authentication: Authentication) {
    const { decision, identity } = authentication
    publish(decision)
    if (identity !== null) {
      request.user = identity.user
      request.authSession = identity.session
      request.authGrant = identity.grant
      // Both, so that "request completed" names the user, too.
      request.log = reply.log = request.log.child({ userId: identity.user.id })
    }
    if (logAttempts) log(request, authentication)
    return identity === null || onAuthenticated === undefined ? authentication : welcome(request, authentication)
  }

  async function settleLater(request: FastifyRequest, reply: FastifyReply, authentication: Promise<Authentication>) {
    const settled = await settle(request, reply, await authentication)
    // So that hooks and guards after this one need not wait for what is there.
    const attempted = request as Attempted
    attempted[ATTEMPT] = settled
    return settled
  }

  function welcome(request: FastifyRequest, authentication: Authentication) {
    return whenever(onAuthenticated?.(request, attemptOf(authentication)), () => authentication)
  }

  async function refuse(
    request: FastifyRequest,
    reply: FastifyReply,
    attempt: Authentication,
    error: unknown
  ): Promise<never> {
    if (!isOurs(error)) throw error
    complete(reply, error)
    if (logAttempts && error.statusCode === 403) request.log.info({ code: error.code }, 'forbidden')
    await onRejected?.(request, { ...attemptOf(attempt), error })
    throw mapError?.(error, request) ?? error
  }

  function complete(reply: FastifyReply, error: unknown): void {
    if (isOurs(error)) setHeaders(reply, realm, error)
  }
}

function traced(request: FastifyRequest, pipeline: Pipeline): Authentication | Promise<Authentication> {
  if (!tracing.hasSubscribers) return authenticate(pipeline, request.raw)
  const trace: Trace = { request, decision: null }
  return tracing.tracePromise(async () => {
    const authentication = await authenticate(pipeline, request.raw)
    trace.decision = authentication.decision
    return authentication
  }, trace)
}

function log(request: FastifyRequest, { decision, error }: Authentication): void {
  if (decision.outcome === 'unavailable') {
    request.log.error({ auth: decision, err: loggable(error?.cause) }, 'authentication unavailable')
  } else if (decision.outcome === 'anonymous') request.log.debug({ auth: decision }, 'no credential')
  else request.log.info({ auth: decision }, decision.outcome)
}

function attemptOf({ decision, claims, identity }: Authentication): AuthAttempt {
  return { decision, claims, identity }
}

function setHeaders(reply: FastifyReply, realm: string, error: FastifyError): void {
  const { statusCode, code } = error
  if (statusCode === 503) reply.header('retry-after', '1')
  if (!(code in CHALLENGES)) return
  const more: Record<string, string> = {}
  if (code === 'FST_BAU_TOKEN_EXPIRED') {
    more.error_description = EXPIRED
    // For error handlers that show more than the message.
    Object.assign(error, { detail: EXPIRED })
  }
  if ('maxAge' in error) more.max_age = String(error.maxAge)
  if ('scope' in error) more.scope = String(error.scope)
  reply.header('www-authenticate', challenge(realm, CHALLENGES[code], more))
}

/** Which errors are answered with a challenge, and the code it names (RFC 6750 §3.1); no code without a credential. */
const CHALLENGES: Readonly<Record<string, BearerError | undefined>> = {
  FST_BAU_CREDENTIAL_MISSING: undefined,
  FST_BAU_CREDENTIAL_MALFORMED: 'invalid_request',
  FST_BAU_CREDENTIAL_INVALID: 'invalid_token',
  FST_BAU_TOKEN_EXPIRED: 'invalid_token',
  FST_BAU_SESSION_NOT_FRESH: 'insufficient_user_authentication',
  FST_BAU_ROLE_REQUIRED: 'insufficient_scope',
  FST_BAU_SCOPE_REQUIRED: 'insufficient_scope',
  FST_BAU_NOT_A_MEMBER: 'insufficient_scope',
  FST_BAU_NOT_OWN_USER: 'insufficient_scope',
  FST_BAU_EMAIL_NOT_VERIFIED: 'insufficient_scope'
}

function isOurs(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && String(error.code) in errors
}
