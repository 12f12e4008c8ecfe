import createError from '@fastify/error'

/** Every error this package answers with, by its public code. Match with `error.code`. */
export const chatkitErrors = {
  FST_CHATKIT_BODY_INVALID: createError('FST_CHATKIT_BODY_INVALID', '%s', 400),
  FST_CHATKIT_TYPE_UNKNOWN: createError('FST_CHATKIT_TYPE_UNKNOWN', 'No request is of type "%s"', 400),
  FST_CHATKIT_CURSOR_UNKNOWN: createError('FST_CHATKIT_CURSOR_UNKNOWN', 'Nothing here has the id given as after', 404),
  FST_CHATKIT_OWNER_MISSING: createError(
    'FST_CHATKIT_OWNER_MISSING',
    'The owner option gave no id for this request; put a guard into onRequest',
    500
  ),
  FST_CHATKIT_UNAUTHORIZED: createError('FST_CHATKIT_UNAUTHORIZED', 'Sign in first', 401),
  FST_CHATKIT_FORBIDDEN: createError('FST_CHATKIT_FORBIDDEN', 'You may not do this', 403),
  FST_CHATKIT_THREAD_NOT_FOUND: createError('FST_CHATKIT_THREAD_NOT_FOUND', 'Thread not found', 404),
  FST_CHATKIT_ITEM_NOT_FOUND: createError('FST_CHATKIT_ITEM_NOT_FOUND', 'Item not found', 404),
  FST_CHATKIT_ATTACHMENT_NOT_FOUND: createError('FST_CHATKIT_ATTACHMENT_NOT_FOUND', 'Attachment not found', 404),
  FST_CHATKIT_ATTACHMENT_REFUSED: createError('FST_CHATKIT_ATTACHMENT_REFUSED', '%s', 415),
  FST_CHATKIT_ATTACHMENT_TOO_LARGE: createError('FST_CHATKIT_ATTACHMENT_TOO_LARGE', 'The attachment is too large', 413),
  FST_CHATKIT_ATTACHMENT_NOT_UPLOADED: createError(
    'FST_CHATKIT_ATTACHMENT_NOT_UPLOADED',
    'The attachment has not been uploaded',
    409
  ),
  FST_CHATKIT_ATTACHMENT_UPLOADED: createError(
    'FST_CHATKIT_ATTACHMENT_UPLOADED',
    'The attachment has been uploaded already',
    409
  ),
  FST_CHATKIT_UPLOAD_INVALID: createError('FST_CHATKIT_UPLOAD_INVALID', '%s', 400),
  FST_CHATKIT_UPLOAD_TOO_SLOW: createError('FST_CHATKIT_UPLOAD_TOO_SLOW', 'The upload took too long', 408),
  FST_CHATKIT_ADDRESS_INVALID: createError('FST_CHATKIT_ADDRESS_INVALID', 'The address was not given out here', 403),
  FST_CHATKIT_ADDRESS_EXPIRED: createError('FST_CHATKIT_ADDRESS_EXPIRED', 'The address has expired', 410),
  FST_CHATKIT_ITEM_EXISTS: createError('FST_CHATKIT_ITEM_EXISTS', 'The thread already has an item of that id', 409),
  FST_CHATKIT_ITEM_WRONG_TYPE: createError('FST_CHATKIT_ITEM_WRONG_TYPE', 'The item is no %s', 409),
  FST_CHATKIT_NOT_PENDING: createError('FST_CHATKIT_NOT_PENDING', 'Nothing waits for this answer', 409),
  FST_CHATKIT_THREAD_BUSY: createError('FST_CHATKIT_THREAD_BUSY', 'The thread is still answering', 409),
  FST_CHATKIT_THREAD_CLOSED: createError('FST_CHATKIT_THREAD_CLOSED', 'The thread is %s', 409),
  FST_CHATKIT_MESSAGE_TOO_LONG: createError('FST_CHATKIT_MESSAGE_TOO_LONG', 'The message is too long', 413),
  FST_CHATKIT_TOO_MANY_ATTACHMENTS: createError(
    'FST_CHATKIT_TOO_MANY_ATTACHMENTS',
    'The message has too many attachments',
    413
  ),
  FST_CHATKIT_TOO_MANY_STREAMS: createError('FST_CHATKIT_TOO_MANY_STREAMS', 'Too many answers are open at once', 429),
  FST_CHATKIT_NOT_SUPPORTED: createError('FST_CHATKIT_NOT_SUPPORTED', 'This server does not support %s', 400),
  FST_CHATKIT_REFUSED: createError('FST_CHATKIT_REFUSED', '%s', 422),
  FST_CHATKIT_HOOK_FAILED: createError('FST_CHATKIT_HOOK_FAILED', 'This could not be done', 500),
  FST_CHATKIT_ATTACHMENTS_UNAVAILABLE: createError(
    'FST_CHATKIT_ATTACHMENTS_UNAVAILABLE',
    'Attachments cannot be reached; try again later',
    503
  ),
  FST_CHATKIT_STORE_UNAVAILABLE: createError(
    'FST_CHATKIT_STORE_UNAVAILABLE',
    'Conversations cannot be reached; try again later',
    503
  ),
  FST_CHATKIT_CLOSING: createError('FST_CHATKIT_CLOSING', 'The server is closing; try again', 503),
  FST_CHATKIT_MIGRATION_CHANGED: createError(
    'FST_CHATKIT_MIGRATION_CHANGED',
    'Migration %s was applied in another form; restore the file it was applied from',
    500
  ),
  FST_CHATKIT_MIGRATION_NEWER: createError(
    'FST_CHATKIT_MIGRATION_NEWER',
    'The database is at migration %s, which this version does not have; install a newer fastify-chatkit',
    500
  )
} as const

/** Code of an error of this package: stable, for programs. */
export type ChatKitErrorCode = keyof typeof chatkitErrors

/** Whether an error is one of this package's own. */
export function isChatKitError(error: unknown): error is Error & { code: ChatKitErrorCode; statusCode: number } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code in chatkitErrors
}
