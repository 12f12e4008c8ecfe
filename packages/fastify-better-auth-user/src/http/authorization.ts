import { type CredentialSource, type Extracted, malformed } from '../credential/credential.ts'

/** Longest credential looked at, in characters. Node's own limit for all headers together is 16 KiB. */
export const MAX_CREDENTIAL_LENGTH = 8192

/**
 * The token of `Authorization: Bearer <token>` (RFC 9110 §11.6.2, RFC 6750 §2.1): scheme in any case, one or more spaces.
 * Any visible ASCII is taken, more than b64token allows, because a percent-encoded session token contains `%`.
 *
 * @returns `null` without the header or with another scheme, which is somebody else's business.
 */
export function bearerToken({ headers, rawHeaders }: CredentialSource): Extracted {
  const value = headers.authorization
  if (value === undefined) return null
  // Node keeps the first of several and drops the rest without a word, whatever their schemes.
  if (isRepeated(rawHeaders, 'authorization')) {
    return valuesOf(rawHeaders, 'authorization').some(isBearer) ? malformed('more than one Authorization header') : null
  }
  return isBearer(value) ? oneToken(value.slice('bearer'.length), 'Authorization: Bearer') : null
}

/** A header that holds nothing but a token. */
export function headerToken({ headers, rawHeaders }: CredentialSource, name: string): Extracted {
  const value = headers[name]
  if (value === undefined) return null
  if (typeof value !== 'string' || isRepeated(rawHeaders, name)) return malformed(`more than one ${name} header`)
  return oneToken(value, name)
}

/** Exactly one token between spaces. In one expression: to take the spaces away first takes a time that grows with their square. */
export function oneToken(text: string, where: string): Extracted {
  const token = /^ *([\x21-\x7e]+) *$/.exec(text)?.[1]
  if (token === undefined) return malformed(`${where} needs exactly one token`)
  if (token.length > MAX_CREDENTIAL_LENGTH) return malformed(`token longer than ${MAX_CREDENTIAL_LENGTH} characters`)
  return token
}

function isBearer(value: string): boolean {
  return /^bearer(?:[ \t]|$)/i.test(value)
}

/** What tells small ASCII letters from capital ones. */
const SMALL = 0x20

/** Whether a request has more than one header of this name; Node shows only the first, or all of them as one text. */
export function isRepeated(rawHeaders: readonly string[], name: string): boolean {
  // Most requests have one header at most that begins alike and is as long; then no name need be written in small letters.
  const first = name.charCodeAt(0)
  let alike = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const header = rawHeaders[index]
    if (header?.length === name.length && (header.charCodeAt(0) | SMALL) === first) alike++
  }
  return alike > 1 && valuesOf(rawHeaders, name).length > 1
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? '')
  }
  return values
}
