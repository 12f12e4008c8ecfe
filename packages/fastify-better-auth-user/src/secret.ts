/** What Better Auth falls back to when nobody configured a secret: public, so worth nothing. */
const PUBLISHED_DEFAULT = 'better-auth-secret-12345678901234567890'

/**
 * Refuses secrets that protect nothing or that cannot match Better Auth's.
 *
 * @returns the secrets, the current one first.
 * @throws TypeError with the cure; the secret itself is not in the message.
 */
export function checkSecrets(secret: string | readonly string[] | undefined): readonly string[] {
  const secrets = secret === undefined ? [] : typeof secret === 'string' ? [secret] : [...secret]
  if (secret !== undefined && secrets.length === 0)
    throw new TypeError('secret: an empty list; leave the option out instead')
  for (const one of secrets) {
    if (typeof one !== 'string') throw new TypeError('secret: expected a text or a list of texts')
    if (one === PUBLISHED_DEFAULT) {
      throw new TypeError(
        "secret: this is Better Auth's published default; set BETTER_AUTH_SECRET in both applications"
      )
    }
    if (one !== one.trim() || /^(["']).*\1$/s.test(one)) {
      throw new TypeError(
        'secret: surrounded by quotes or white space; it would never match, remove them from the environment'
      )
    }
    if (Buffer.byteLength(one) < 32) {
      throw new TypeError('secret: shorter than 32 bytes (RFC 7518 §3.2); make one with `openssl rand -base64 32`')
    }
    // A key that is public elsewhere must not verify HMACs (CVE-2023-48223 and its kin).
    if (/-----BEGIN |^\s*[[{]/.test(one)) throw new TypeError('secret: this is a PEM or JWK key, not a shared secret')
  }
  return secrets
}
