import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { chatkitErrors } from '../errors.ts'

/** What an address is good for: one thing, done to one attachment. */
export type Purpose = 'upload' | 'read'

/** What an address says. */
export type Claims = {
  owner: string
  id: string
  name: string
  mimeType: string
  /** Bytes to be uploaded. */
  size: number
  /** Seconds since 1970. */
  expires: number
}

export type Addresses = {
  sign(purpose: Purpose, claims: Claims): string
  /** @throws FST_CHATKIT_ADDRESS_INVALID for what was not signed here, for this purpose; FST_CHATKIT_ADDRESS_EXPIRED. */
  open(purpose: Purpose, token: string): Claims
}

/**
 * Signs what an address says with HMAC-SHA256, under a key derived for its purpose alone (RFC 5869), so that the secret may have other
 * uses and an address has only one.
 *
 * @param secrets the first one signs; all of them are believed.
 */
export function signedAddresses(secrets: readonly string[], now: () => Date): Addresses {
  const keys = secrets.map(secret => ({ upload: keyFor(secret, 'upload'), read: keyFor(secret, 'read') }))
  return {
    sign(purpose, claims) {
      const { owner, id, name, mimeType, size, expires } = claims
      const text = Buffer.from(JSON.stringify([owner, id, name, mimeType, size, expires])).toString('base64url')
      const [first] = keys
      if (!first) throw new TypeError('There is no secret to sign with')
      return `${text}.${signature(first[purpose], text).toString('base64url')}`
    },
    open(purpose, token) {
      const [text = '', given = '', ...rest] = token.split('.')
      const bytes = Buffer.from(given, 'base64url')
      const genuine = keys.some(key => equal(bytes, signature(key[purpose], text)))
      if (!genuine || rest.length > 0) throw new chatkitErrors.FST_CHATKIT_ADDRESS_INVALID()
      const [owner, id, name, mimeType, size, expires] = JSON.parse(Buffer.from(text, 'base64url').toString())
      if (expires * 1000 <= now().getTime()) throw new chatkitErrors.FST_CHATKIT_ADDRESS_EXPIRED()
      return { owner, id, name, mimeType, size, expires }
    }
  }
}

function keyFor(secret: string, purpose: Purpose): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `fastify-chatkit attachment ${purpose}`, 32))
}

function signature(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function equal(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}
