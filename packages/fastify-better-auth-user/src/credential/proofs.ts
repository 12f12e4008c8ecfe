import { LRUCache } from 'lru-cache'
import type { Proof } from '../types.ts'

/** What was proven lately, by the exact text of the credential. What was refused is never kept. */
export interface Proofs {
  /** The proof, if verifying the same text again would give it. */
  recall(credential: string): Proof | undefined
  keep(credential: string, proof: Proof): void
  readonly stats: ProofStats
}

export interface ProofStats {
  kept: number
  /** How often a proof was recalled instead of made. */
  recalled: number
  made: number
}

/**
 * @param max most proofs kept; the one unused for longest gives way. 0: none.
 * @param now milliseconds since the epoch. @default Date.now
 */
export function createProofs(max: number, now: () => number = Date.now): Proofs {
  // Made with the first proof: it allots its room at once, and many applications are sent nothing to prove.
  let proofs: LRUCache<string, Proof> | undefined
  let recalled = 0
  let made = 0
  return {
    recall(credential) {
      const proof = proofs?.get(credential)
      if (proof === undefined) return undefined
      const instant = now()
      if (instant < proof.until && instant >= proof.from && proof.isCurrent?.() !== false) {
        recalled++
        return proof
      }
      proofs?.delete(credential)
      return undefined
    },
    keep(credential, proof) {
      made++
      if (max === 0) return
      proofs ??= new LRUCache({ max })
      proofs.set(credential, proof)
    },
    get stats() {
      return { kept: proofs?.size ?? 0, recalled, made }
    }
  }
}

/** Proves by `prove` what cannot be recalled. */
export function proven(
  proofs: Proofs,
  credential: string,
  prove: (credential: string) => Proof | Promise<Proof>
): Proof | Promise<Proof> {
  const known = proofs.recall(credential)
  if (known !== undefined) return known
  const proof = prove(credential)
  if (!(proof instanceof Promise)) {
    proofs.keep(credential, proof)
    return proof
  }
  return proof.then(settled => {
    proofs.keep(credential, settled)
    return settled
  })
}
