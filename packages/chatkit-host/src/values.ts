import { isIP } from 'node:net'

/** A value that cannot be used. The message starts with a verb and names the cure; it never repeats a secret. */
export class Unfit extends Error {}

/** Better Auth's built-in secret for development: everybody knows it. */
const PUBLISHED_SECRET = 'better-auth-secret-12345678901234567890'
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full', 'no-verify']

export function postgresUrl(text: string): string {
  if (/^psql\b/.test(text)) throw new Unfit('begins with psql: keep only the URL between the quotes')
  refuseQuotes(text)
  const url = parseUrl(text)
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    throw new Unfit(
      'is no PostgreSQL URL: write postgresql://user:password@host/database (percent-encode the password)'
    )
  }
  const mode = url.searchParams.get('sslmode')
  // `prefer` and `allow` would hide from the operator whether anything is encrypted.
  if (mode !== null && !SSL_MODES.includes(mode)) {
    throw new Unfit(`has sslmode=${mode}: write one of ${SSL_MODES.join(', ')}`)
  }
  return text
}

export function secret(text: string): string {
  if (text === PUBLISHED_SECRET)
    throw new Unfit("is Better Auth's published default: make one with `openssl rand -base64 32`")
  if (text !== text.trim()) throw new Unfit('begins or ends with white space: remove it, or it never matches')
  refuseQuotes(text)
  if (/-----BEGIN |^\s*[[{]/.test(text)) throw new Unfit('is a PEM or JSON key: it must be the shared secret itself')
  if (Buffer.byteLength(text) < 32) {
    throw new Unfit('is shorter than 32 bytes: make one with `openssl rand -base64 32`, for Better Auth as well')
  }
  return text
}

function refuseQuotes(text: string): void {
  if (/^(["']).*\1$/s.test(text)) throw new Unfit('is wrapped in quotes: remove them')
}

export function list(text: string | undefined): readonly string[] {
  if (text === undefined) return []
  const values = text.split(',').map(value => value.trim())
  if (values.includes('')) throw new Unfit('has an empty entry: separate values with single commas')
  return values
}

export function origin(text: string): string {
  if (text === '*') throw new Unfit('is *: name the origins, since a wildcard may not carry credentials')
  const url = parseUrl(text)
  if (url === null || !isWeb(url) || url.origin !== text.replace(/\/$/, '').toLowerCase()) {
    throw new Unfit(`has "${shown(text)}", which is no origin: write https://app.example.com, without a path`)
  }
  return url.origin
}

export function webUrl(text: string): string {
  const url = parseUrl(text)
  if (url === null || !isWeb(url) || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new Unfit(`is "${shown(text)}", which is no web address: write https://app.example.com`)
  }
  return url.href.replace(/\/+$/, '')
}

export function host(text: string): string {
  const bare = text.replace(/^\[(.+)\]$/, '$1')
  if (isIP(bare) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(bare)) return bare
  throw new Unfit(`is "${shown(text)}": write an address or a name alone, such as 127.0.0.1 (the port goes into PORT)`)
}

export function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text)
  throw new Unfit(`is "${shown(text)}": write a number from 0 to 65535`)
}

export function yesOrNo(text: string): boolean {
  if (['1', 'true', 'yes', 'on'].includes(text.toLowerCase())) return true
  if (['0', 'false', 'no', 'off'].includes(text.toLowerCase())) return false
  throw new Unfit(`is "${shown(text)}": write 1 or 0`)
}

export function oneOf<Value extends string>(text: string, allowed: readonly Value[]): Value {
  const value = allowed.find(one => one === text)
  if (value === undefined) throw new Unfit(`is "${shown(text)}": write one of ${allowed.join(', ')}`)
  return value
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}

function isWeb({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:'
}

/** Short enough for a line, and without what a URL may hold of a password. */
function shown(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//…@').slice(0, 60)
}
