/** Waits that all end as soon as one thing fails. Its timers do not keep the process alive. */
export interface Breakable {
  /** Ends every wait, those to come as well, as this error. */
  fail(error: Error): void
  /**
   * The work's result, when it comes in time.
   *
   * @param ms `Infinity`: for as long as it takes.
   * @param what is too slow, for the message.
   * @throws Error when the time is up or something failed; otherwise whatever the work throws.
   */
  within<T>(ms: number, what: string, work: Promise<T>): Promise<T>
}

export function breakable(): Breakable {
  let failure: Error | null = null
  // Not one promise raced against again and again: it would remember every race for as long as it is pending.
  const waits = new Set<(error: Error) => void>()
  return {
    fail(error) {
      failure ??= error
      for (const reject of waits) reject(failure)
      waits.clear()
    },
    within: (ms, what, work) =>
      new Promise((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined
        const settle = () => {
          clearTimeout(timer)
          waits.delete(reject)
        }
        work.then(resolve, reject).finally(settle)
        if (failure !== null) return reject(failure)
        waits.add(reject)
        if (ms === Number.POSITIVE_INFINITY) return
        timer = setTimeout(
          () => reject(new Error(`${what} did not answer within ${Math.round(ms)} ms`)),
          Math.max(0, ms)
        ).unref()
      })
  }
}
