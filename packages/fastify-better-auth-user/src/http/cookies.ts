/**
 * The value of a cookie, as it was sent: not percent-decoded, surrounding double quotes removed (RFC 6265 §4.1.1, §4.2).
 * Of several with one name the first counts, as Better Auth's own parser has it.
 */
export function cookieValue(header: string | undefined, name: string): string | null {
  if (header === undefined) return null
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (equals === -1 || pair.slice(0, equals).trim() !== name) continue
    const value = pair.slice(equals + 1).trim()
    return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
  }
  return null
}
