/**
 * Names out of code, as they are looked for: `FST_BAU_KEY_UNKNOWN`, `DATABASE_URL`, `maxLength`, `docs/errors.md`, `--help`.
 * The parser of Postgres takes such names apart, so they are also kept whole, as small letters and digits alone.
 */
export function codeWords(text: string): string[] {
  const names = text.match(/[\p{L}\p{N}@$]+(?:[_./:@-]+[\p{L}\p{N}]+)+|\p{L}[\p{Ll}\p{N}]+\p{Lu}[\p{L}\p{N}]*/gu) ?? []
  return [...new Set(names.map(codeWord).filter(word => word.length >= 4 && word.length <= 200))]
}

/** Small letters and digits of a name. */
function codeWord(name: string): string {
  return name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')
}

/** A text with the words that are hidden in its names written out: `threadStore` is about a thread and a store. */
export function withHiddenWords(text: string): string {
  const hidden = text.match(/\p{L}[\p{Ll}\p{N}]+\p{Lu}[\p{L}\p{N}]*|[\p{L}\p{N}]+(?:[_.-][\p{L}\p{N}]+)+/gu) ?? []
  const words = hidden.map(name => name.replaceAll(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2').replaceAll(/[_.-]/g, ' '))
  return `${text} ${[...new Set(words)].join(' ')}`
}

/** What a question may have of characters; what comes after is not looked for. */
const MAX_LENGTH = 2000

/** A question as Postgres can read it: no NUL, no half characters, not endless, and none of a search engine's signs. */
export function searchable(question: string): string {
  return question
    .slice(0, MAX_LENGTH)
    .replaceAll(/[\p{Cc}\p{Cs}]/gu, ' ')
    .replaceAll(/(^|\s)-+(?=\S)/g, '$1')
}
