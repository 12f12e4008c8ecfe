import { accessSync, constants, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'

/** A value that cannot be used. The message starts with a verb and names the cure; it never repeats a secret. */
export class Unfit extends Error {}

/** Better Auth's built-in secret for development: everybody knows it. */
const PUBLISHED_SECRET = 'better-auth-secret-12345678901234567890'
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full', 'no-verify']

export function postgresUrl(text: string): string {
  if (/^psql\b/.test(text)) throw new Unfit('begins with psql: keep only the URL between the quotes')
  refuseQuotes(text)
  const url = parseUrl(text)
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol) || !isEncoded(text)) {
    throw new Unfit(
      'is no PostgreSQL URL: write postgresql://user:password@host/database (percent-encode the password)'
    )
  }
  const mode = url.searchParams.get('sslmode')
  // `prefer` and `allow` would hide from the operator whether anything is encrypted.
  if (mode !== null && !SSL_MODES.includes(mode)) {
    throw new Unfit(`has sslmode=${mode}: write one of ${SSL_MODES.join(', ')}`)
  }
  for (const name of ['sslcert', 'sslkey', 'sslrootcert']) {
    const file = url.searchParams.get(name)
    if (file !== null && !isReadable(file))
      throw new Unfit(`has ${name}=${file}, which is no file that can be read: name one, or leave it out`)
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
  const quote = ['"', "'"].find(one => text.startsWith(one))
  if (quote !== undefined && text.length > 1 && text.endsWith(quote)) {
    throw new Unfit('is wrapped in quotes: remove them')
  }
}

export function list(text: string | undefined): readonly string[] {
  if (text === undefined) return []
  refuseQuotes(text)
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

/** @param example what is meant, for the sentence. */
export function webUrl(text: string, example = 'https://app.example.com'): string {
  const url = parseUrl(text)
  if (url === null || !isWeb(url) || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new Unfit(`is "${shown(text)}", which is no web address: write one such as ${example}`)
  }
  return url.href.replace(/\/+$/, '')
}

export function apiKey(text: string): string {
  refuseQuotes(text)
  // What is in no header is in no key either.
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw new Unfit('has white space or letters that no key has: copy it again')
}

export function modelServer(text: string): string {
  const url = webUrl(text, 'http://127.0.0.1:11434/v1')
  if (/\/chat\/completions$/.test(url)) throw new Unfit('ends in /chat/completions: leave that out')
  return url
}

export function modelName(text: string): string {
  if (/^[\p{L}\p{N}][^\s\p{C}]{0,199}$/u.test(text)) return text
  throw new Unfit(`is "${shown(text)}", which is no name of a model: write it as its server lists it`)
}

export function folder(text: string): string {
  const path = resolve(text)
  try {
    if (statSync(path).isDirectory()) return path
  } catch {
    // Not there, below a file, or below a folder that is closed to us.
  }
  throw new Unfit(`is "${shown(text)}", which is no folder here: name one, or leave it out`)
}

export function host(text: string): string {
  const bare = text.replace(/^\[(.+)\]$/, '$1')
  // What ends in digits is read as an address, by URLs as by name servers: 999.1.1.1 is none.
  const isName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(bare) && URL.canParse(`http://${bare}`)
  if (isIP(bare) !== 0 || isName) return bare
  throw new Unfit(`is "${shown(text)}": write an address or a name alone, such as 127.0.0.1 (the port goes into PORT)`)
}

export function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text)
  throw new Unfit(`is "${shown(text)}": write a number from 0 to 65535`)
}

/** @param unit what is counted, for the sentence: `seconds`. */
export function wholeNumber(text: string, unit: string, { least, most }: { least: number; most: number }): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text)
  throw new Unfit(`is "${shown(text)}": write a whole number of ${unit} from ${least} to ${most}`)
}

/** An address to listen on, `127.0.0.1:9464`; a port alone is of this machine only. */
export function listenAddress(text: string): { host: string; port: number } {
  const [, name = '127.0.0.1', digits = ''] = /^(?:(.+):)?(\d+)$/.exec(text) ?? []
  if (digits === '') throw new Unfit(`is "${shown(text)}": write a port, such as 9464, or an address and a port`)
  return { host: host(name), port: port(digits) }
}

/**
 * Addresses of the proxies that are believed about a client. "All" is not among them, nor is a number of hops: then whoever
 * connects could choose an address.
 */
export function proxies(text: string | undefined): readonly string[] {
  const entries = list(text)
  const wrong = entries.find(entry => !['loopback', 'linklocal', 'uniquelocal'].includes(entry) && !isNetwork(entry))
  if (wrong === undefined) return entries
  throw new Unfit(
    `has "${shown(wrong)}": write the addresses of the proxies in front of this host, such as 10.0.0.0/8 or loopback`
  )
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const most = { 4: 32, 6: 128 }[isIP(address)]
  if (most === undefined || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) > 0 && Number(bits) <= most)
}

export function redisUrl(text: string): string {
  refuseQuotes(text)
  const url = parseUrl(text)
  if (url === null || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '' || !isEncoded(text)) {
    throw new Unfit('is no Redis URL: write redis://user:password@host:6379 (rediss:// for TLS)')
  }
  return text
}

/** A bearer token that somebody has made up: long enough not to be guessed, and fit for a header (RFC 6750 §2.1). */
export function operatorToken(text: string): string {
  refuseQuotes(text)
  if (/^[\w.~+/-]{24,}=*$/.test(text)) return text
  throw new Unfit('is not 24 or more letters, digits and -._~+/: make one with `openssl rand -base64 32`')
}

/** What OpenAI gives out for a domain: not a secret, since every visitor of that domain gets it. */
export function domainKey(text: string): string {
  refuseQuotes(text)
  if (/^[\w-]{4,200}$/.test(text) && !text.startsWith('sk-')) return text
  throw new Unfit(
    "is no domain key: copy the one that OpenAI's dashboard shows for this domain (domain_pk_…); on localhost local-dev will do"
  )
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

/** Whether each % begins what can be decoded: a password with a bare one cannot be read. */
function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

function isWeb({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:'
}

/** Short enough for a line, and without what a URL may hold of a password. */
function shown(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//…@').slice(0, 60)
}
