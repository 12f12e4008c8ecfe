import { createPublicKey } from 'node:crypto'

/** What Better Auth falls back to when nobody configured a secret: public, so worth nothing. */
const PUBLISHED_DEFAULT = 'better-auth-secret-12345678901234567890'

/**
 * Refuses secrets that protect nothing or that cannot match Better Auth's.
 *
 * @returns the secrets, the current one first; none when the option is left out.
 * @throws TypeError with the cure; the secret itself is not in the message.
 */
export function checkSecrets(given: { secret?: string | readonly string[] | undefined }): readonly string[] {
  if (!Object.hasOwn(given, 'secret')) return []
  const { secret } = given
  if (secret === undefined) {
    throw new TypeError('secret: undefined; set BETTER_AUTH_SECRET, or leave the option out to do without signatures')
  }
  const secrets = typeof secret === 'string' ? [secret] : Array.isArray(secret) ? [...secret] : null
  if (secrets === null) throw new TypeError('secret: expected a text or a list of texts')
  if (secrets.length === 0) throw new TypeError('secret: an empty list; leave the option out instead')
  for (const one of secrets) checkSecret(one)
  return secrets
}

function checkSecret(secret: unknown): void {
  if (typeof secret !== 'string') throw new TypeError('secret: expected a text or a list of texts')
  if (secret === PUBLISHED_DEFAULT) {
    throw new TypeError("secret: this is Better Auth's published default; set BETTER_AUTH_SECRET in both applications")
  }
  // A key that is public elsewhere must not verify HMACs (CVE-2023-48223 and its kin).
  if (isKey(secret)) throw new TypeError('secret: this is a PEM or JWK key, not a shared secret')
  if (secret !== secret.trim() || /^(["']).*\1$/s.test(secret) || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(secret)) {
    throw new TypeError(
      'secret: surrounded by quotes or white space, or with invisible characters in it; it would never match, remove them from the environment'
    )
  }
  if (Buffer.byteLength(secret) < 32) {
    throw new TypeError('secret: shorter than 32 bytes (RFC 7518 §3.2); make one with `openssl rand -base64 32`')
  }
}

/** Anywhere in the text: what stands before a key does not make it secret. */
function isKey(text: string): boolean {
  if (/-----BEGIN |\\?"(kty|keys)\\?"\s*:/.test(text)) return true
  try {
    // PEM without its first and last line.
    createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' })
    return true
  } catch {
    return false
  }
}
