/** The error codes of RFC 6750 §3.1 and RFC 9470 §3. */
export type BearerError =
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'insufficient_user_authentication'

/**
 * Value of `WWW-Authenticate` for the Bearer scheme (RFC 6750 §3).
 * Without `error` when the request carried no credential at all (§3.1).
 */
export function challenge(realm: string, error?: BearerError, more: Readonly<Record<string, string>> = {}): string {
  const parameters = { realm, ...(error === undefined ? {} : { error }), ...more }
  return `Bearer ${Object.entries(parameters)
    .map(([name, value]) => `${name}="${legal(value)}"`)
    .join(', ')}`
}

/** Keeps the characters §3 allows: %x20-21 / %x23-5B / %x5D-7E, so neither quote nor backslash. */
function legal(text: string): string {
  return text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, ' ')
}
