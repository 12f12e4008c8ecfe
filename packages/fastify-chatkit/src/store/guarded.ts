import { chatkitErrors, isChatKitError } from '../errors.ts'
import type { OwnedThreads } from './thread-store.ts'

/**
 * The same threads, whose every failure has a name: what a store throws that is no error of ours is an outage.
 *
 * @throws FST_CHATKIT_STORE_UNAVAILABLE with the store's error as its cause.
 */
export function guardedThreads(threads: OwnedThreads): OwnedThreads {
  return new Proxy(threads, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return async (...values: unknown[]): Promise<unknown> => {
        try {
          return await Reflect.apply(value, target, values)
        } catch (error) {
          if (isChatKitError(error)) throw error
          throw new chatkitErrors.FST_CHATKIT_STORE_UNAVAILABLE({ cause: error })
        }
      }
    }
  })
}
