import { isIP } from 'node:net'
import { resolve } from 'node:path'

/** One environment variable: all that `--help`, a page of documentation and the reader of the environment need to know. */
export interface Variable<Value> {
  /** What it is for: a phrase, and what it must look like. */
  meaning: string
  /** What is shown as its default. */
  fallback: string
  /**
   * The value for a text; for `undefined`, the default.
   *
   * @throws Unfit whose message goes on after the variable's name.
   */
  parse(text: string | undefined): Value
}

/** A value that cannot be used. The message starts with a verb and names the cure; it never repeats a secret. */
export class Unfit extends Error {}

/** Better Auth's built-in secret for development: everybody knows it. */
const PUBLISHED_SECRET = 'better-auth-secret-12345678901234567890'
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
const ENVIRONMENTS = ['development', 'production', 'test'] as const
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full', 'no-verify']

/** Every variable the host reads, in the order they are shown. */
export const variables = {
  DATABASE_URL: variable(
    'the PostgreSQL with the Better Auth tables, postgresql://user:password@host/database; Neon and its pooler included',
    'an embedded PostgreSQL in DATA_DIR, with a sign-in of its own',
    text => (text === undefined ? null : postgresUrl(text))
  ),
  BETTER_AUTH_SECRET: variable(
    'the secret of the Better Auth application, at least 32 bytes; signs session cookies and HS256 tokens',
    'required with DATABASE_URL; otherwise made once and kept in DATA_DIR',
    text => (text === undefined ? null : secret(text))
  ),
  BETTER_AUTH_ISSUER: variable(
    'accepted `iss` of tokens, several separated by commas; also admits HS256 tokens that name their user by e-mail alone',
    'not checked for HS256; for JWTs signed with a key, the origin of BETTER_AUTH_URL',
    list
  ),
  BETTER_AUTH_AUDIENCE: variable(
    'accepted `aud` of tokens, several separated by commas',
    'not checked for HS256; for JWTs signed with a key, the origin of BETTER_AUTH_URL',
    list
  ),
  BETTER_AUTH_URL: variable(
    'where Better Auth is reached from a browser, https://app.example.com',
    'this host, when it is its own sign-in',
    text => (text === undefined ? null : webUrl(text))
  ),
  BETTER_AUTH_JWKS_URL: variable(
    'where the keys are that sign its JWTs, https://app.example.com/api/auth/jwks',
    'its jwks table in DATABASE_URL, when BETTER_AUTH_URL is set',
    text => (text === undefined ? null : webUrl(text))
  ),
  BETTER_AUTH_MOUNT: variable(
    '1 makes this host its own sign-in: Better Auth with e-mail and password on /api/auth',
    '1 with the embedded database, 0 with DATABASE_URL',
    text => (text === undefined ? null : yesOrNo(text))
  ),
  CORS_ORIGINS: variable(
    'origins whose pages may call this host, separated by commas, https://app.example.com',
    'none: only its own',
    text => list(text).map(origin)
  ),
  HOST: variable('the address to listen on; 0.0.0.0 for all', '127.0.0.1', text => host(text ?? '127.0.0.1')),
  PORT: variable('the port to listen on; 0 takes a free one', '3000', text => port(text ?? '3000')),
  DATA_DIR: variable('where the embedded database and its secrets are kept', '.data', text => resolve(text ?? '.data')),
  LOG_LEVEL: variable(
    `least severe of what is logged: ${LOG_LEVELS.join(', ')}`,
    'info in production, else warn',
    text => (text === undefined ? null : oneOf(text, LOG_LEVELS))
  ),
  NODE_ENV: variable(
    'production logs JSON without personal data; development explains each sign-in on the console',
    'development',
    text => oneOf(text ?? 'development', ENVIRONMENTS)
  )
}

function variable<Value>(
  meaning: string,
  fallback: string,
  parse: (text: string | undefined) => Value
): Variable<Value> {
  return { meaning, fallback, parse }
}

function postgresUrl(text: string): string {
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

function secret(text: string): string {
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

function list(text: string | undefined): readonly string[] {
  if (text === undefined) return []
  const values = text.split(',').map(value => value.trim())
  if (values.includes('')) throw new Unfit('has an empty entry: separate values with single commas')
  return values
}

function origin(text: string): string {
  if (text === '*') throw new Unfit('is *: name the origins, since a wildcard may not carry credentials')
  const url = parseUrl(text)
  if (url === null || !isWeb(url) || url.origin !== text.replace(/\/$/, '').toLowerCase()) {
    throw new Unfit(`has "${shown(text)}", which is no origin: write https://app.example.com, without a path`)
  }
  return url.origin
}

function webUrl(text: string): string {
  const url = parseUrl(text)
  if (url === null || !isWeb(url) || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new Unfit(`is "${shown(text)}", which is no web address: write https://app.example.com`)
  }
  return url.href.replace(/\/+$/, '')
}

function host(text: string): string {
  const bare = text.replace(/^\[(.+)\]$/, '$1')
  if (isIP(bare) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(bare)) return bare
  throw new Unfit(`is "${shown(text)}": write an address or a name alone, such as 127.0.0.1 (the port goes into PORT)`)
}

function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return Number(text)
  throw new Unfit(`is "${shown(text)}": write a number from 0 to 65535`)
}

function yesOrNo(text: string): boolean {
  if (['1', 'true', 'yes', 'on'].includes(text.toLowerCase())) return true
  if (['0', 'false', 'no', 'off'].includes(text.toLowerCase())) return false
  throw new Unfit(`is "${shown(text)}": write 1 or 0`)
}

function oneOf<Value extends string>(text: string, allowed: readonly Value[]): Value {
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
