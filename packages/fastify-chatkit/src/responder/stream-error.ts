/**
 * An error the reader hears of. Anything else a responder throws is told as a plain `stream.error`, without its text.
 *
 * With a message the front end shows that; without one, its own words for `code`.
 */
export class ChatKitStreamError extends Error {
  readonly code: string
  readonly allowRetry: boolean
  /** What the reader is told; `null` leaves the words to the front end. */
  readonly publicMessage: string | null

  /**
   * @param options.message public. Shown as it is.
   * @param options.code @default "custom" with a message, else "stream.error"
   * @param options.allowRetry whether the front end offers to try again. @default false with a message, else true
   * @param options.cause private: for the application's own use. A stream neither tells nor logs it.
   */
  constructor(options: { message?: string; code?: string; allowRetry?: boolean; cause?: unknown } = {}) {
    const { message, cause } = options
    super(message ?? options.code ?? 'stream.error', cause === undefined ? undefined : { cause })
    this.name = 'ChatKitStreamError'
    this.publicMessage = message ?? null
    this.code = options.code ?? (message === undefined ? 'stream.error' : 'custom')
    this.allowRetry = options.allowRetry ?? message === undefined
  }
}
