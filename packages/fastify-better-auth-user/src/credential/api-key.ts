import { digest } from '../crypto/digest.ts'
import { headerToken } from '../http/authorization.ts'
import { type CredentialKind, type Extracted, malformed, type TokenReader, timeless } from './credential.ts'

/** API keys of Better Auth's plugin of that name. */
export interface ApiKeyOptions {
  /** The header that holds the key; the plugin's `apiKeyHeaders`. @default 'x-api-key' */
  header?: string | readonly string[] | undefined
  /**
   * Accept keys of these configurations only; the plugin's `configId`. Needed where ids are serial numbers, because
   * number 7 may be a user's and an organization's id, and only the configuration tells whose key it is. @default any
   */
  configId?: string | readonly string[] | undefined
  /** How keys are stored; for `disableKeyHashing`, `key => key`. @default SHA-256, base64url without padding */
  hashKey?: ((key: string) => string) | undefined
}

/**
 * An API key in a header of its own. The key proves nothing by itself; its row does. Beside a bearer token it makes the
 * request malformed, since two credentials may name two users; a cookie beside it is ignored.
 */
export function apiKey(
  readToken: TokenReader,
  { header = 'x-api-key', configId, hashKey = digest }: ApiKeyOptions = {}
): CredentialKind {
  const names = [...new Set([header].flat().map(name => name.toLowerCase()))]
  const configIds = configId === undefined ? undefined : [configId].flat()

  return {
    name: 'api-key',
    headers: readToken.headers && [...names, ...readToken.headers],
    extract(source) {
      let found: Extracted = null
      for (const name of names) {
        const key = headerToken(source, name)
        if (key === null) continue
        if (found !== null) return malformed('more than one API key')
        found = key
      }
      if (found !== null && readToken(source) !== null) return malformed('an API key and a token')
      return found
    },
    verify: key => timeless({ by: 'api-key', keyHash: hashKey(key), configIds })
  }
}
