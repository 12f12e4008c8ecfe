import { createHmac, timingSafeEqual } from 'node:crypto'

/** 32 bytes in padded standard base64: what Better Auth appends to a session token, after a dot. */
const SIGNATURE = /^[A-Za-z0-9+/]{43}=$/

/**
 * Splits `<value>.<signature>` at the last dot, percent-decoding once when needed.
 *
 * @returns `null` when the text does not have that form; nothing has been verified.
 */
export function splitSignedValue(text: string): { value: string; signature: string } | null {
  const decoded = text.includes('%') ? decode(text) : text
  if (decoded === null) return null
  const dot = decoded.lastIndexOf('.')
  const signature = decoded.slice(dot + 1)
  return dot > 0 && SIGNATURE.test(signature) ? { value: decoded.slice(0, dot), signature } : null
}

/** Whether the signature is HMAC-SHA256 of the value under any of the secrets; compared in constant time, byte by byte. */
export function isSignedBy(secrets: readonly string[], value: string, signature: string): boolean {
  const given = Buffer.from(signature, 'base64')
  // The last character carries two bits that decode to nothing: only one spelling of a signature is accepted.
  if (given.toString('base64') !== signature) return false
  return secrets.some(secret => timingSafeEqual(createHmac('sha256', secret).update(value).digest(), given))
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
