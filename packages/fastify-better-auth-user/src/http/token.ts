import { type CredentialSource, type Extracted, malformed, type TokenReader } from '../credential/credential.ts'
import { bearerToken, headerToken, oneToken } from './authorization.ts'

/** Places besides `Authorization: Bearer` where a token may stand. */
export interface TokenPlaces {
  /** A header that holds nothing but the token. */
  header?: string | undefined
  /** A query parameter; addresses end up in logs and histories, so use it only where headers cannot be set. */
  query?: string | undefined
  /** Anywhere else. Must not throw. */
  extract?: ((source: CredentialSource) => string | null) | undefined
}

/** Reads the one token of a request; a second one in another place makes it malformed (RFC 6750 §2). */
export function tokenReader({ header, query, extract }: TokenPlaces): TokenReader {
  const readers: TokenReader[] = [bearerToken]
  if (header !== undefined) {
    const name = header.toLowerCase()
    readers.push(source => headerToken(source, name))
  }
  if (query !== undefined) readers.push(source => queryToken(source, query))
  if (extract !== undefined) readers.push(source => check(extract(source)))
  // What stands in the address, or wherever an application looks, no header tells.
  const byHeaders = query === undefined && extract === undefined
  const headers = byHeaders ? ['authorization', ...(header === undefined ? [] : [header.toLowerCase()])] : undefined
  return Object.assign(readers.length === 1 ? (source: CredentialSource) => bearerToken(source) : onlyOne, { headers })

  function onlyOne(source: CredentialSource): Extracted {
    let found: Extracted = null
    for (const read of readers) {
      const token = read(source)
      if (token === null) continue
      if (found !== null) return malformed('more than one token')
      found = token
    }
    return found
  }
}

/** The token of a query parameter (RFC 6750 §2.3). */
export function queryToken({ url }: CredentialSource, name: string): Extracted {
  const question = url?.indexOf('?') ?? -1
  if (url === undefined || question === -1) return null
  const values = new URLSearchParams(url.slice(question + 1)).getAll(name)
  const [value] = values
  if (value === undefined) return null
  return values.length > 1 ? malformed(`more than one ${name} parameter`) : check(value)
}

function check(value: unknown): Extracted {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? oneToken(value, 'the token') : malformed('the token is not a text')
}
