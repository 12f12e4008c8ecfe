import { Lexer, type Token, type Tokens } from 'marked'

/** A piece of a document that can be read by itself: what stands under one heading, or a part of that. */
export interface Passage {
  /** Of the document: its first heading, or its file's name. */
  title: string
  /** The nearest heading above it; the title, before any other heading. */
  heading: string
  /** The headings between the title and this one, outermost first. */
  trail: string[]
  /** The heading's place within the rendered document, as GitHub names it. Empty at the beginning. */
  anchor: string
  /** Markdown, without the heading. */
  body: string
}

/** Characters a passage may have; a longer one becomes several, between its blocks. */
const MAX_LENGTH = 1600

/** A document's passages, in its order. Headings down to the fourth level begin one. */
export function passagesOf(path: string, text: string): { title: string; passages: Passage[] } {
  const tokens = new Lexer({ gfm: true }).lex(withoutFrontMatter(text))
  const headings: { depth: number; text: string }[] = []
  const passages: Passage[] = []
  const anchors = new Map<string, number>()
  let title: string | null = null
  let anchor = ''
  let blocks: string[] = []

  const finish = () => {
    const heading = headings.at(-1)?.text ?? ''
    for (const body of joined(blocks, '\n\n'))
      passages.push({ title: '', heading, trail: headings.slice(0, -1).map(one => one.text), anchor, body })
    blocks = []
  }
  for (const token of tokens) {
    if (isHeading(token) && token.depth <= 4) {
      finish()
      const words = plain(token.tokens)
      anchor = anchorOf(words, anchors)
      if (title === null && token.depth === 1) {
        title = words
        anchor = ''
        continue
      }
      while ((headings.at(-1)?.depth ?? 0) >= token.depth) headings.pop()
      headings.push({ depth: token.depth, text: words })
    } else if (token.type !== 'html' && token.type !== 'space' && token.type !== 'def') {
      blocks.push(...split(token))
    }
  }
  finish()
  const name = title ?? nameOf(path)
  return { title: name, passages: passages.map(one => ({ ...one, title: name, heading: one.heading || name })) }
}

function isHeading(token: Token): token is Tokens.Heading {
  return token.type === 'heading'
}

function withoutFrontMatter(text: string): string {
  return text.replace(/^\uFEFF?---\n[\s\S]*?\n---\n/, '')
}

function nameOf(path: string): string {
  const file = path.split('/').at(-1) ?? path
  return file.replace(/\.\w+$/, '').replaceAll(/[-_]+/g, ' ')
}

/** What a reader sees of inline Markdown. */
function plain(tokens: readonly Token[]): string {
  return tokens
    .map(token => ('tokens' in token && token.tokens ? plain(token.tokens) : 'text' in token ? String(token.text) : ''))
    .join('')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

// As GitHub makes them: https://github.com/Flet/github-slugger.
function anchorOf(heading: string, taken: Map<string, number>): string {
  const slug = heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-')
  const count = taken.get(slug) ?? 0
  taken.set(slug, count + 1)
  return count === 0 ? slug : `${slug}-${count}`
}

/** A block, or its parts when it is too long to be shown whole. */
function split(token: Token): string[] {
  if (token.raw.length <= MAX_LENGTH) return [token.raw.trimEnd()]
  switch (token.type) {
    case 'table': {
      const [head = '', rule = '', ...rows] = token.raw.trimEnd().split('\n')
      return joined(rows.flatMap(cut), '\n', MAX_LENGTH - head.length - rule.length).map(part =>
        [head, rule, part].join('\n')
      )
    }
    case 'list':
      return joined((token as Tokens.List).items.map(item => item.raw.trimEnd()).flatMap(cut), '\n')
    case 'code': {
      const { lang = '', text } = token as Tokens.Code
      return joined(text.split('\n').flatMap(cut), '\n').map(part => `\`\`\`${lang}\n${part}\n\`\`\``)
    }
    default:
      return joined(
        token.raw
          .trimEnd()
          .split(/(?<=[.!?])\s+/)
          .flatMap(cut),
        ' '
      )
  }
}

/** Neighbours put together as long as they are not too long. */
function joined(parts: readonly string[], separator: string, maxLength = MAX_LENGTH): string[] {
  const groups: string[] = []
  for (const part of parts) {
    const last = groups.at(-1)
    if (last !== undefined && last.length + separator.length + part.length <= maxLength)
      groups[groups.length - 1] = last + separator + part
    else groups.push(part)
  }
  return groups
}

/** What is no longer a row, an entry or a sentence that somebody wrote. */
function cut(text: string): string[] {
  const pieces: string[] = []
  for (let at = 0; at < text.length; at += MAX_LENGTH) pieces.push(text.slice(at, at + MAX_LENGTH))
  return pieces
}
