/** As long as a part of a path may be on every usual file system. */
const longestPart = 200

/**
 * An owner and an id as the parts of a path: nothing in them is special to a file system or in a URL, and no two of them
 * become the same, not even where upper and lower case are one. A long name goes on in the next part, which a `+` at its end says.
 */
export function toParts(owner: string, attachmentId: string): string[] {
  return [owner, attachmentId].flatMap(text => {
    const name = encode(text)
    const parts = name.match(new RegExp(`.{1,${longestPart}}`, 'g')) ?? []
    return parts.map((part, index) => (index < parts.length - 1 ? `${part}+` : part))
  })
}

/** The owner and the id whose parts these are; `null` for anything else. */
export function fromParts(parts: readonly string[]): { owner: string; id: string } | null {
  const names = ['']
  for (const part of parts) {
    const goesOn = part.endsWith('+')
    names[names.length - 1] += goesOn ? part.slice(0, -1) : part
    if (!goesOn) names.push('')
  }
  const [owner, id, rest, ...more] = names.map(decode)
  if (!owner || !id || rest !== '' || more.length > 0) return null
  return toParts(owner, id).join('/') === parts.join('/') ? { owner, id } : null
}

function encode(text: string): string {
  return text.replaceAll(/[^a-z0-9_-]/gu, character =>
    [...Buffer.from(character)].map(byte => `=${byte.toString(16).padStart(2, '0')}`).join('')
  )
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('=', '%'))
  } catch {
    return ''
  }
}
