/**
 * A signal that aborts with the first of others that does, or when the time is over.
 *
 * Not `AbortSignal.any`: on some versions of Node it loses an abort (nodejs/node#65995), or a time-out nobody else holds.
 *
 * @param late the reason once so many milliseconds are over.
 */
export function limitTime(
  others: readonly AbortSignal[],
  ms: number,
  late: () => unknown
): { signal: AbortSignal; clear(): void } {
  const either = new AbortController()
  const leave = ({ target }: Event) => either.abort((target as AbortSignal).reason)
  for (const other of others) {
    if (other.aborted) either.abort(other.reason)
    other.addEventListener('abort', leave, { once: true })
  }
  const timer = setTimeout(() => either.abort(late()), ms)
  return {
    signal: either.signal,
    clear() {
      clearTimeout(timer)
      for (const other of others) other.removeEventListener('abort', leave)
    }
  }
}
