/**
 * The iterator of what a responder returned, whose `next` an abort really interrupts.
 *
 * Neither `return()` nor a signal the responder ignores can end an `await` that is pending inside it; so this stops waiting.
 * One promise a step, and nothing that grows with the stream: `Promise.race` with a lasting promise would.
 */
export function interruptible<Value>(values: AsyncIterable<Value> | Iterable<Value>, signal: AbortSignal) {
  const iterator = Symbol.asyncIterator in values ? values[Symbol.asyncIterator]() : values[Symbol.iterator]()
  let interrupt: ((reason: unknown) => void) | undefined
  signal.addEventListener('abort', () => interrupt?.(signal.reason), { once: true })

  return {
    /** @throws the signal's reason, at once, when it aborts. */
    next(): Promise<IteratorResult<Value>> {
      if (signal.aborted) return Promise.reject(signal.reason)
      return new Promise((resolve, reject) => {
        interrupt = reject
        try {
          const step = iterator.next()
          if ('then' in step) step.then(resolve, reject)
          else resolve(step)
        } catch (error) {
          reject(error)
        }
      })
    },

    /** Lets the responder clean up, and waits for that, but not long. Never throws. */
    async leave(patienceMs = 1000): Promise<void> {
      let timer: NodeJS.Timeout | undefined
      const patience = new Promise<void>(resolve => {
        timer = setTimeout(resolve, patienceMs)
      })
      const cleaned = Promise.resolve()
        .then(() => iterator.return?.())
        .catch(() => undefined)
      await Promise.race([cleaned, patience])
      clearTimeout(timer)
    }
  }
}
