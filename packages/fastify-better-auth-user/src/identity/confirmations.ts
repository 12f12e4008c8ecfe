/** Asks something for many at once. */
export interface Confirmations {
  /** Whether a question was answered that was asked after this call. */
  next(): Promise<boolean>
}

/** How long, in milliseconds, a question waits for the one before, so that more ask it together. */
const SPACING_MS = 2

/**
 * Whoever asks in the same turn of the event loop shares a question, and one question at a time is under way: all of them
 * go over one connection. Under load they keep a little distance, as many small ones cost the server, and us, more.
 */
export function confirmations(ask: () => Promise<void>): Confirmations {
  let gathering: Promise<boolean> | null = null
  let underWay: Promise<boolean> | null = null
  let askedAt = 0

  return {
    next() {
      gathering ??= gather()
      return gathering
    }
  }

  async function gather(): Promise<boolean> {
    if (underWay !== null) {
      await underWay
      const early = askedAt + SPACING_MS - performance.now()
      if (early > 0) await new Promise(resolve => setTimeout(resolve, early))
    }
    await new Promise(resolve => setImmediate(resolve))
    gathering = null
    askedAt = performance.now()
    const answered = ask().then(
      () => true,
      () => false
    )
    underWay = answered
    const answer = await answered
    if (underWay === answered) underWay = null
    return answer
  }
}
