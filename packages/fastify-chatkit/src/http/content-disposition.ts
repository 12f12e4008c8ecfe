/**
 * Says that a file is to be kept, not opened, and by what name (RFC 6266). Names are for people: any text will do, and none is a path.
 */
export function contentDisposition(name: string): string {
  const clean = name.replaceAll(/[\p{Cc}\p{Cs}]/gu, '_').replaceAll(/[/\\]/g, '_')
  const ascii = clean.replaceAll(/[^\x20-\x7e]|["%]/g, '_')
  const encoded = encodeURIComponent(clean).replaceAll(
    /['()*]/g,
    one => `%${one.charCodeAt(0).toString(16).toUpperCase()}`
  )
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}
