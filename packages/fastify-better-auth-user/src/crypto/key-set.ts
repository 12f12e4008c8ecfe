import { errors, messageOf, withCause } from '../errors.ts'
import { type RawKey, type RsaAlgorithm, toVerificationKey, type VerificationKey } from './public-key.ts'

/** Fetches all keys of the issuer, or throws when it cannot. */
export type KeyLoader = () => Promise<readonly RawKey[]>

export interface KeySetOptions {
  /** Age at which the keys are fetched again, in milliseconds. @default 600000 */
  maxAgeMs?: number | undefined
  /** How long the last good keys serve while they cannot be fetched, in milliseconds. @default 3600000 */
  maxStaleMs?: number | undefined
  /** Pause after a fetch for an unknown key id, and the longest pause after a failed one, in milliseconds. @default 10000 */
  cooldownMs?: number | undefined
  /** For RSA keys whose source names no algorithm. @default 'RS256' */
  rsaAlgorithm?: RsaAlgorithm | undefined
  /** Milliseconds since any instant. @default `performance.now`, as the wall clock may be set back */
  now?: (() => number) | undefined
  /** Told about keys that were left out, and why. */
  onUnusableKey?: ((kid: string, error: unknown) => void) | undefined
}

/** The issuer's public keys. */
export interface KeySet {
  /**
   * @returns `null` when the issuer has no such key. An unknown `kid` makes the set look again, once in a while.
   * @throws FST_BAU_KEYS_UNAVAILABLE the keys cannot be fetched and none are fresh enough to serve.
   */
  find(kid: string): Promise<VerificationKey | null>
  /** Whether `find` would answer this very key without a fetch. */
  holds(kid: string, key: VerificationKey): boolean
  /** What keeps tokens from being verified now: a sentence with its cure for each problem. */
  check(): Promise<string[]>
}

export function createKeySet(load: KeyLoader, options: KeySetOptions = {}): KeySet {
  const {
    maxAgeMs = 600_000,
    maxStaleMs = 3_600_000,
    cooldownMs = 10_000,
    rsaAlgorithm = 'RS256',
    now = () => performance.now()
  } = options
  const { onUnusableKey = () => {} } = options
  let keys: ReadonlyMap<string, VerificationKey> = new Map()
  let loadedAt = Number.NEGATIVE_INFINITY
  /** No fetch before this instant. */
  let notBefore = Number.NEGATIVE_INFINITY
  let failures = 0
  let failure: unknown = null
  let loading: Promise<void> | null = null

  return {
    async find(kid) {
      if (now() - loadedAt >= maxAgeMs) {
        const loading = reload(0)
        // An attempt to end a known outage may take long; whoever has a key that serves meanwhile need not wait for it.
        const serves = failure !== null && keys.has(kid) && now() - loadedAt < maxAgeMs + maxStaleMs
        if (!serves) await loading
      } else if (!keys.has(kid)) await reload(cooldownMs)
      if (now() - loadedAt >= maxAgeMs + maxStaleMs) throw unavailable()
      const key = keys.get(kid)
      // An outage must not turn a key published a moment ago into an invalid token.
      if (key === undefined && failure !== null) throw unavailable()
      return key ?? null
    },
    holds: (kid, key) => now() - loadedAt < maxAgeMs && keys.get(kid) === key,
    async check() {
      await reload(0)
      return failure === null ? [] : [`The issuer's keys cannot be loaded: ${messageOf(failure)}.`]
    }
  }

  /** One fetch for all who wait. Made-up key ids and outages cannot drive traffic: both wait before they fetch again. */
  function reload(pauseAfterMs: number): Promise<void> {
    if (loading !== null) return loading
    if (now() < notBefore) return Promise.resolve()
    loading = load()
      .then(raw => {
        keys = usable(raw)
        loadedAt = now()
        failures = 0
        failure = null
        // Better Auth makes its first key with its first token: an empty set is about to change.
        notBefore = now() + (keys.size === 0 ? Math.min(pauseAfterMs, 1000) : pauseAfterMs)
      })
      .catch(error => {
        failure = error
        notBefore = now() + Math.min(cooldownMs, 500 * 2 ** failures++)
      })
      .finally(() => {
        loading = null
      })
    return loading
  }

  function usable(raw: readonly RawKey[]): ReadonlyMap<string, VerificationKey> {
    const found = new Map<string, VerificationKey>()
    for (const one of raw) {
      try {
        found.set(one.kid, toVerificationKey(one, rsaAlgorithm))
      } catch (error) {
        onUnusableKey(one.kid, error)
      }
    }
    return found
  }

  function unavailable(): Error {
    return withCause(new errors.FST_BAU_KEYS_UNAVAILABLE(), failure)
  }
}
