import { Lexer, type Token, walkTokens } from 'marked'
import { searchable } from './words.ts'

/** What a reader is shown of a passage: Markdown whose links lead somewhere. */
export interface Showing {
  /** Characters it may have. */
  maxLength: number
  /** The address of a link, or `null` when it leads nowhere from here. */
  resolve(href: string): string | null
}

/** A line that is about what comes after it: it ends in a colon, or is all in bold letters. */
const INTRODUCES = /^(?:[^\n]*:|\*\*[^*\n]+\*\*)$/

/** Rows of a table that are shown when none of them is about the question. */
const FEW_ROWS = 12

/**
 * A passage as an answer shows it: whole when it is short enough, else its blocks from the first that is about the question.
 * Of a long table only the rows about the question are shown.
 */
export function excerpt(body: string, question: string, { maxLength, resolve }: Showing): string {
  const asked = askedWords(question)
  const blocks = new Lexer({ gfm: true })
    .lex(body)
    .filter(({ type }) => !['space', 'html', 'def'].includes(type))
    .map(token => withLinks(token.type === 'table' ? tableRows(token.raw, asked) : token.raw.trimEnd(), token, resolve))
  const whole = blocks.join('\n\n')
  if (whole.length <= maxLength) return whole
  // A block that introduces another, such as code, is shown with it.
  const first = Math.max(
    0,
    blocks.findIndex(block => matches(block, asked))
  )
  const begin = first > 0 && blocks.slice(first).join('\n\n').length <= maxLength ? first - 1 : first
  const chosen: string[] = []
  for (const block of blocks.slice(begin)) {
    if (chosen.length > 0 && [...chosen, block].join('\n\n').length > maxLength) {
      // Nor is what introduces it, then.
      if (chosen.length > 1 && INTRODUCES.test(chosen.at(-1) ?? '')) chosen.pop()
      break
    }
    chosen.push(block)
  }
  const shown = chosen.join('\n\n')
  return shown.length <= maxLength * 1.5 ? shown : cutShort(shown, maxLength)
}

/** The beginning of a block, which is all that there is room for. */
function cutShort(text: string, length: number): string {
  const [fence] = /^(?:`{3,}|~{3,})/.exec(text) ?? []
  const begun = text.slice(0, length).replace(/\s+\S*$/, '')
  const row = begun.lastIndexOf('\n')
  if (begun.startsWith('|', row + 1)) {
    // Half a row would be a row of its own; the first one is shown whole, or the table would have none.
    const isFirst = /\|[\s:|-]+\|$/.test(begun.slice(0, row))
    const end = isFirst ? text.indexOf('\n', row + 1) : row
    return `${end === -1 ? text : text.slice(0, end)}\n\n…`
  }
  // Left open, a program would go on through the rest of the answer.
  return fence === undefined ? `${begun} …` : `${begun}\n${fence}`
}

function tableRows(raw: string, asked: readonly string[]): string {
  const [head = '', rule = '', ...rows] = raw.trimEnd().split('\n')
  if (rows.length <= FEW_ROWS / 2) return [head, rule, ...rows].join('\n')
  const about = rows.filter(row => matches(row, asked))
  const shown = about.length > 0 ? about : rows
  return [head, rule, ...shown.slice(0, FEW_ROWS)].join('\n')
}

/** The beginnings of a question's longer words: enough to know another form of a word by. */
function askedWords(question: string): string[] {
  const words =
    searchable(question)
      .toLowerCase()
      .match(/[\p{L}\p{N}_]{4,}/gu) ?? []
  return [...new Set(words.map(word => (word.includes('_') ? word : word.slice(0, 6))))].filter(
    word => !COMMON.has(word)
  )
}

// Words by which nothing is told apart.
const COMMON = new Set([
  'what',
  'which',
  'when',
  'where',
  'does',
  'there',
  'have',
  'with',
  'this',
  'that',
  'from',
  'mean',
  'about',
  'should',
  'would'
])

function matches(block: string, asked: readonly string[]): boolean {
  const text = block.toLowerCase()
  return asked.some(word => text.includes(word))
}

/** A block whose links that lead nowhere are text, pictures too; its HTML is gone. */
function withLinks(markdown: string, token: Token, resolve: Showing['resolve']): string {
  let text = markdown
  void walkTokens([token], inner => {
    if (inner.type === 'html') text = text.replace(inner.raw, '')
    // A bare address is one already.
    if (!/^!?\[/.test(inner.raw) || (inner.type !== 'link' && inner.type !== 'image')) return
    const address = inner.type === 'image' ? null : resolve(String(inner.href))
    // A function: text with `$&` in it stays as it is.
    text = text.replace(inner.raw, () => (address === null ? String(inner.text) : `[${inner.text}](${address})`))
  })
  return text
}
