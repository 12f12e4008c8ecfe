import type { CredentialSource } from '../credential/credential.ts'

/** Methods that change nothing (RFC 9110 §9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Whether a page of another origin made the browser send this request, so that a cookie in it proves nothing.
 * Asked for unsafe methods and for WebSocket upgrades, which browsers send across origins without a preflight.
 *
 * @param trusted origins that may, as `https://app.example.com`.
 * @returns `false` without `Origin` and `Sec-Fetch-Site`, too: then no browser sent it.
 * @see Fetch §3.2 for `Origin`; W3C Fetch Metadata §2.1 for `Sec-Fetch-Site`
 */
export function isForeignOrigin({ method, headers }: CredentialSource, trusted: ReadonlySet<string>): boolean {
  if (SAFE.has(method ?? 'GET') && headers.upgrade === undefined) return false
  const { origin } = headers
  if (origin !== undefined && trusted.has(origin)) return false
  // What the browser itself says comes first: a page without TLS on this very host is another origin, and a proxy may have
  // changed the host.
  const site = headers['sec-fetch-site']
  if (site === 'same-origin') return false
  if (site !== undefined && site !== 'none') return true
  // HTTP/2 names the host in a header of its own.
  const host = headers.host ?? headers[':authority']
  return origin !== undefined && hostOf(origin) !== String(host).toLowerCase()
}

/** `null` for the opaque origin `null` and anything else that names no host. */
function hostOf(origin: string): string | null {
  return /^https?:\/\/([^/@?#]+)$/i.exec(origin)?.[1]?.toLowerCase() ?? null
}
