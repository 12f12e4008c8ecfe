/** When a request for a stream is sent again. Only before the first byte of the stream: what has begun is never repeated. */
export type RetryPolicy = {
  /** Requests after the first. @default 5, as ChatKit's element */
  retries: number
  /** Before the second request; doubled each time. @default 1000 */
  minDelayMs: number
  /** @default 10 000. A server that asks for more is asked no more. */
  maxDelayMs: number
}

export const elementRetryPolicy: RetryPolicy = { retries: 5, minDelayMs: 1000, maxDelayMs: 10_000 }

/**
 * How long to wait before the request is sent again, in milliseconds.
 *
 * @param attempt 1 after the first request.
 * @param random from 0 up to 1: what is taken off, up to half, so that many clients do not come back at once.
 * @returns `null`: give up.
 */
export function delayBefore(
  { retries, minDelayMs, maxDelayMs }: RetryPolicy,
  attempt: number,
  askedMs: number | null,
  random: number
): number | null {
  if (attempt > retries || (askedMs ?? 0) > maxDelayMs) return null
  const full = Math.min(maxDelayMs, minDelayMs * 2 ** (attempt - 1))
  return Math.max(askedMs ?? 0, Math.round(full * (1 - random / 2)))
}

/** Resolves after a time; rejects with the signal's reason when it aborts first. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const over = () => {
      signal?.removeEventListener('abort', aborted)
      resolve()
    }
    const timer = setTimeout(over, ms)
    const aborted = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', aborted, { once: true })
  })
}
