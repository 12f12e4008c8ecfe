import createError, { type FastifyError } from '@fastify/error'

/** What a stranger is told about any credential that does not work; the decision record says why. */
const REFUSED = 'Invalid or expired JWT token'

/**
 * Every error this package throws while a request is served. The codes are public and stable: match with `error.code`,
 * not `instanceof`, since two copies of the package may be loaded. Wrong options are a `TypeError` at start-up instead.
 */
export const errors = {
  FST_BAU_CREDENTIAL_MISSING: createError('FST_BAU_CREDENTIAL_MISSING', 'Authentication required', 401),
  FST_BAU_CREDENTIAL_MALFORMED: createError('FST_BAU_CREDENTIAL_MALFORMED', 'Malformed credential: %s', 400),
  FST_BAU_CREDENTIAL_INVALID: createError('FST_BAU_CREDENTIAL_INVALID', REFUSED, 401),
  FST_BAU_TOKEN_EXPIRED: createError('FST_BAU_TOKEN_EXPIRED', REFUSED, 401),
  FST_BAU_USER_BANNED: createError('FST_BAU_USER_BANNED', 'This account is banned', 403),
  FST_BAU_ORIGIN_REFUSED: createError(
    'FST_BAU_ORIGIN_REFUSED',
    'A session cookie is not accepted from another origin',
    403
  ),
  FST_BAU_USER_NOT_FOUND: createError('FST_BAU_USER_NOT_FOUND', 'User not found with provided email', 404),
  FST_BAU_NO_ACTIVE_SESSION: createError('FST_BAU_NO_ACTIVE_SESSION', 'No active sessions found for user', 404),
  FST_BAU_NOT_OWN_USER: createError('FST_BAU_NOT_OWN_USER', 'User ID mismatch: You can only access your own data', 403),
  FST_BAU_ROLE_REQUIRED: createError('FST_BAU_ROLE_REQUIRED', 'You do not have the role this needs', 403),
  FST_BAU_SCOPE_REQUIRED: createError('FST_BAU_SCOPE_REQUIRED', 'The token was not granted the scope this needs', 403),
  FST_BAU_NOT_A_MEMBER: createError('FST_BAU_NOT_A_MEMBER', 'You are not a member of this organization', 403),
  FST_BAU_EMAIL_NOT_VERIFIED: createError('FST_BAU_EMAIL_NOT_VERIFIED', 'Verify your e-mail address first', 403),
  FST_BAU_SESSION_NOT_FRESH: createError('FST_BAU_SESSION_NOT_FRESH', 'Sign in again to do this', 401),
  FST_BAU_UNAVAILABLE: createError('FST_BAU_UNAVAILABLE', 'Authentication is temporarily unavailable', 503),
  FST_BAU_KEYS_UNAVAILABLE: createError('FST_BAU_KEYS_UNAVAILABLE', 'Authentication is temporarily unavailable', 503),
  FST_BAU_NOT_REGISTERED: createError(
    'FST_BAU_NOT_REGISTERED',
    'No authentication ran for this request: register fastify-better-auth-user in this scope or a parent of it',
    500
  )
} as const

/** A code of the error table. */
export type ErrorCode = keyof typeof errors

/** The one answer to a credential that does not work. @param why for the operator; the client never sees it. */
export function invalid(why: string, cause?: unknown): FastifyError {
  return withCause(new errors.FST_BAU_CREDENTIAL_INVALID(), new Error(why, { cause }))
}

/** An error of the table with what is behind it, for the log. */
export function withCause(error: FastifyError, cause: unknown): FastifyError {
  return Object.assign(error, { cause })
}

/** What an error says, for the log. */
export function messageOf(error: unknown): string {
  // An address that resolves to several fails with an AggregateError, whose own message is empty.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ')
  // "fetch failed" says no more.
  if (error instanceof TypeError && error.cause instanceof Error) return messageOf(error.cause)
  return error instanceof Error ? error.message : String(error)
}

/**
 * An error as it may be logged: without what else clients of databases put into theirs. ioredis adds the command, with the
 * session's token in it, and a pool of `pg` the whole connection.
 */
export function loggable(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { name, stack } = error
  return Object.assign(new Error(messageOf(error)), { name, stack, ...('code' in error && { code: error.code }) })
}
