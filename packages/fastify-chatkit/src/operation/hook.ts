import { chatkitErrors, isChatKitError } from '../errors.ts'
import { ChatKitStreamError } from '../responder/stream-error.ts'

/**
 * Asks a hook of the application. What it throws is told only when it was meant to be.
 *
 * @throws FST_CHATKIT_REFUSED for a `ChatKitStreamError`; an error with a `statusCode` below 500 as it is.
 * @throws FST_CHATKIT_HOOK_FAILED for anything else, or what `failed` makes of it.
 */
export async function askHook<Result>(
  hook: () => Result | Promise<Result>,
  failed: (cause: unknown) => Error = cause => new chatkitErrors.FST_CHATKIT_HOOK_FAILED({ cause })
): Promise<Result> {
  try {
    return await hook()
  } catch (error) {
    if (error instanceof ChatKitStreamError)
      throw new chatkitErrors.FST_CHATKIT_REFUSED(error.publicMessage ?? error.code, { cause: error })
    if (isChatKitError(error) || isRefusal(error)) throw error
    throw failed(error)
  }
}

/** The same, of the attachment store. @throws FST_CHATKIT_ATTACHMENTS_UNAVAILABLE for what it did not mean to say. */
export async function askAttachmentStore<Result>(ask: () => Result | Promise<Result>): Promise<Result> {
  return await askHook(ask, cause => new chatkitErrors.FST_CHATKIT_ATTACHMENTS_UNAVAILABLE({ cause }))
}

function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error) || !('statusCode' in error)) return false
  return typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500
}
