/**
 * The value of a cookie, as it was sent: not percent-decoded, surrounding double quotes removed (RFC 6265 §4.1.1, §4.2).
 * Of several with one name the first counts, as Better Auth's own parser has it.
 */
export function cookieValue(header: string | undefined, name: string): string | null {
  if (header === undefined) return null
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (equals === -1 || withoutSpace(pair.slice(0, equals)) !== name) continue
    const value = withoutSpace(pair.slice(equals + 1))
    return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
  }
  return null
}

/**
 * Without spaces and tabs around it (RFC 9110 §5.6.3). Not `trim`: browsers take a no-break space for a part of the name, so
 * that any page of a sibling domain may set a cookie that would then be read as one with the prefix `__Secure-`.
 */
function withoutSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09
}
