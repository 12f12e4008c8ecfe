import { createRecent, type Item } from '../recent.ts'
import type { Proof } from '../types.ts'

/** What was proven lately, by the exact text of the credential. What was refused is never kept. */
export interface Proofs {
  /** The proof, if verifying the same text again would give it. */
  recall(credential: string): Proof | undefined
  /** Whether `recall` would give one; counts as no use of it. */
  knows(credential: string): boolean
  keep(credential: string, proof: Proof): void
  readonly stats: ProofStats
}

interface KeptProof extends Item {
  proof: Proof
}

export interface ProofStats {
  kept: number
  /** How often a proof, or the header that carried what it is of, was recalled instead of made or read. */
  recalled: number
  made: number
}

/**
 * @param max most proofs kept; one that was not used for long gives way. 0: none.
 * @param now milliseconds since the epoch. @default Date.now
 */
export function createProofs(max: number, now: () => number = Date.now): Proofs {
  const proofs = createRecent<KeptProof>(max)
  let recalled = 0
  let made = 0
  return {
    recall(credential) {
      const found = find(credential)
      if (found === undefined) return undefined
      found.wasUsed = true
      recalled++
      return found.proof
    },
    knows: credential => find(credential) !== undefined,
    keep(credential, proof) {
      made++
      if (max > 0) proofs.keep({ key: credential, isKept: true, wasUsed: false, proof })
    },
    get stats() {
      return { kept: proofs.size, recalled, made }
    }
  }

  function find(credential: string): KeptProof | undefined {
    const found = proofs.find(credential)
    if (found === undefined || holds(found.proof, now)) return found
    proofs.forget(found)
    return undefined
  }
}

/** Whether verifying now would prove the same again. */
export function holds(proof: Proof, now: () => number): boolean {
  return (isTimeless(proof) || isWithin(proof, now())) && proof.isCurrent?.() !== false
}

/** Asked first, because a look at the clock costs more than all else that is done with a known proof. */
function isTimeless({ from, until }: Proof): boolean {
  return from === Number.NEGATIVE_INFINITY && until === Number.POSITIVE_INFINITY
}

function isWithin({ from, until }: Proof, instant: number): boolean {
  return instant >= from && instant < until
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
