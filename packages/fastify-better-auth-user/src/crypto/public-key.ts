import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'

/** A key as its source has it. */
export interface RawKey {
  kid: string
  jwk: JsonWebKey
  /** What the source says the key is for; rows older than Better Auth 1.7 say nothing. */
  alg: string | null
}

export interface VerificationKey {
  kid: string
  key: KeyObject
  /** Header values accepted with this key, and no others (RFC 8725 §3.1). */
  algorithms: readonly string[]
}

/** Which algorithm an RSA key is for when its source does not say. */
export type RsaAlgorithm = 'RS256' | 'PS256'

/**
 * Builds the public half of a key. The algorithm follows from the key itself, because a changed configuration makes
 * Better Auth advertise the wrong one for older keys; only RSA needs to be told.
 *
 * @throws Error saying why the key cannot be used.
 */
export function toVerificationKey({ kid, jwk, alg }: RawKey, rsaAlgorithm: RsaAlgorithm): VerificationKey {
  const { use, key_ops: operations } = jwk
  if (use !== undefined && use !== 'sig') throw new Error('not a signature key')
  if (Array.isArray(operations) && !operations.includes('verify')) throw new Error('not a key to verify with')
  const algorithms = algorithmsOf(jwk, alg ?? jwk.alg, rsaAlgorithm)
  const { kty, crv, x, y, n, e } = jwk
  // Only the public members: the source may hold more.
  const key = createPublicKey({ key: { kty, crv, x, y, n, e } as JsonWebKey, format: 'jwk' })
  const { modulusLength: bits, publicExponent: exponent = 3n } = key.asymmetricKeyDetails ?? {}
  if (bits !== undefined && bits < 2048) throw new Error(`an RSA key of ${bits} bits; RFC 7518 §3.3 asks for 2048`)
  if (exponent < 3n) throw new Error('an RSA key under which every text is its own signature')
  return { kid, key, algorithms }
}

/** What Better Auth issues. A key advertised for one of these may be for another; for anything else it is no key of ours. */
const ISSUED: readonly unknown[] = ['EdDSA', 'Ed25519', 'ES256', 'ES512', 'PS256', 'RS256']

/** Whether any key could be for the algorithm. */
export function isIssued(alg: string): boolean {
  return ISSUED.includes(alg)
}

function algorithmsOf({ kty, crv }: JsonWebKey, alg: unknown, rsaAlgorithm: RsaAlgorithm): readonly string[] {
  if (alg !== undefined && !ISSUED.includes(alg)) throw new Error(`keys for ${alg} are not issued by Better Auth`)
  // RFC 9864 gave EdDSA over Ed25519 a second name.
  if (kty === 'OKP' && crv === 'Ed25519') return ['EdDSA', 'Ed25519']
  if (kty === 'EC' && crv === 'P-256') return ['ES256']
  if (kty === 'EC' && crv === 'P-521') return ['ES512']
  if (kty === 'RSA') return [alg === 'RS256' || alg === 'PS256' ? alg : rsaAlgorithm]
  throw new Error(`keys of type ${kty} ${crv ?? ''} are not issued by Better Auth`)
}
