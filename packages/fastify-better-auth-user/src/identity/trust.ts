import { confirmations } from './confirmations.ts'
import { isAnswer } from './connection-errors.ts'
import type { RevocationChannel } from './revocations.ts'

/** Until when what is kept may be used. Instants are those of `performance.now()`. */
export interface Trust {
  /** What is kept may be used without asking anybody. */
  readonly usedUntil: number
  /** From here on it is better to ask ahead, so that among many requests none has to wait. */
  readonly askedFrom: number
  /** The channel vouches for its silence. */
  readonly vouchedUntil: number
  /** How often the channel was asked. */
  readonly confirmations: number
  /** The channel has proved itself just now. */
  prove(until: number): void
  /** The channel is lost. */
  end(): void
  /** Asks the channel, and waits for nothing. */
  askAhead(): void
  /** Whether everything has been told that was committed before this call. */
  confirm(): Promise<boolean>
  /** A look-up was answered. */
  answered(): void
  /**
   * A look-up failed. Where one breaks the channel may be broken, too, and not know it yet: nothing is used until it proves
   * the contrary. Once an outage, as it may be that of the look-ups alone; not for a look-up that was slower than the proofs,
   * which says nothing of the channel that they have not said better, nor for an error that is the server's own.
   */
  failed(error: unknown, askedAt: number): void
}

/**
 * @param maxStalenessMs 0: whatever was committed before a request began is known to it.
 * @throws TypeError for a staleness that cannot be kept.
 */
export function createTrust(channel: RevocationChannel, maxStalenessMs: number | undefined): Trust {
  const stalenessMs = stalenessOf(channel, maxStalenessMs)
  let provedAt = Number.MIN_SAFE_INTEGER
  /** When the channel was asked, the last time that it answered. */
  let confirmedAt = Number.MIN_SAFE_INTEGER
  /** A look-up has broken since one was last answered. */
  let broken = false
  const confirmed = confirmations(ask)
  const trust = {
    usedUntil: Number.NEGATIVE_INFINITY,
    askedFrom: Number.POSITIVE_INFINITY,
    vouchedUntil: Number.NEGATIVE_INFINITY,
    confirmations: 0,
    prove(until: number) {
      provedAt = performance.now()
      vouch(until)
    },
    end: () => vouch(Number.NEGATIVE_INFINITY),
    askAhead() {
      trust.askedFrom = Number.POSITIVE_INFINITY
      void confirmed.next()
    },
    confirm: confirmed.next,
    answered() {
      broken = false
    },
    failed(error: unknown, askedAt: number) {
      if (isAnswer(error)) return
      if (!broken && provedAt < askedAt) trust.end()
      broken = true
    }
  }
  return trust

  function vouch(until: number): void {
    trust.vouchedUntil = until
    trust.usedUntil = Math.min(until, confirmedAt + stalenessMs)
    trust.askedFrom = confirmedAt + stalenessMs / 2
  }

  async function ask(): Promise<void> {
    const askedAt = performance.now()
    trust.confirmations++
    try {
      await channel.confirm?.()
      confirmedAt = askedAt
      vouch(trust.vouchedUntil)
    } catch (error) {
      // Unless it has proved itself since, it has to before anybody asks again.
      vouch(provedAt < askedAt ? Number.NEGATIVE_INFINITY : trust.vouchedUntil)
      throw error
    }
  }
}

/** Without end where the channel cannot be asked. */
function stalenessOf({ confirm }: RevocationChannel, wanted: number | undefined): number {
  if (wanted !== undefined && !(wanted >= 0)) throw new TypeError('maxStalenessMs must be 0 or more')
  if (confirm !== undefined) return wanted ?? 0
  if (wanted === undefined) return Number.POSITIVE_INFINITY
  throw new TypeError('maxStalenessMs needs a channel that can be asked: give yours a `confirm`, or leave it out')
}
