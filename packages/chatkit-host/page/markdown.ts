import { h } from './dom.ts'
import { marked, type Token, type Tokens } from './vendor/marked.js'

/**
 * Shows Markdown (GitHub's) in an element. Called again with longer text, it leaves alone what has not changed: an answer that streams
 * keeps what was selected in it.
 *
 * Safe by construction: the text is taken apart into tokens, and each known token becomes one element. HTML in it stays text, links go
 * to http, https and mailto only, and pictures of other sites are links, so that no answer can make a browser call somewhere.
 */
export function showMarkdown(element: HTMLElement, text: string): void {
  const blocks = blocksIn(text)
  // Below the headings of the page itself, whichever one the text begins with.
  const first = blocks.find((token): token is Tokens.Heading => token.type === 'heading')
  const shift = 3 - (first?.depth ?? 1)
  const old = [...element.children]
  let same = 0
  while (same < blocks.length && same < old.length && shown.get(old[same] ?? element) === blocks[same]?.raw) same += 1
  for (const child of old.slice(same)) child.remove()
  for (const token of blocks.slice(same)) {
    const made = block(token, shift)
    shown.set(made, token.raw)
    element.append(made)
  }
}

function blocksIn(text: string): Token[] {
  try {
    return marked.lexer(text, { gfm: true }).filter(({ type }) => type !== 'space' && type !== 'def')
  } catch {
    // Nested deeper than the stack goes: shown as it was written.
    return [{ type: 'unreadable', raw: text }]
  }
}

/** What an element was made of. */
const shown = new WeakMap<Element, string>()

function block(token: Token, shift = 2): HTMLElement {
  switch (token.type) {
    case 'heading': {
      const level = Math.max(3, Math.min(6, (token as Tokens.Heading).depth + shift)) as 3 | 4 | 5 | 6
      return h(`h${level}`, {}, ...inlines(token))
    }
    case 'code':
      return codeBlock(token as Tokens.Code)
    case 'blockquote':
      return h('blockquote', {}, ...blocksOf(token))
    case 'list':
      return list(token as Tokens.List)
    case 'table':
      return table(token as Tokens.Table)
    case 'checkbox':
      return checkbox(token as Tokens.Checkbox)
    case 'hr':
      return h('hr')
    case 'paragraph':
      return h('p', {}, ...inlines(token))
    case 'text':
      return h('div', {}, ...inlines(token))
    default:
      return h('p', {}, token.raw.trim())
  }
}

function checkbox({ checked }: Tokens.Checkbox): HTMLElement {
  return h('input', { type: 'checkbox', disabled: true, checked, 'aria-label': checked ? 'Done' : 'To do' })
}

function codeBlock({ text, lang }: Tokens.Code): HTMLElement {
  const language = /^\w[\w+#.-]*/.exec(lang ?? '')?.[0]
  // A region that scrolls must be reached by keyboard.
  return h(
    'pre',
    { tabindex: 0, 'aria-label': language ? `Code in ${language}` : 'Code', role: 'group' },
    h('code', {}, text)
  )
}

function list({ ordered, start, items }: Tokens.List): HTMLElement {
  const entries = items.map(item => {
    const children = item.tokens.flatMap(token => (token.type === 'text' ? inlines(token) : [block(token)]))
    return h('li', { class: item.task ? 'task' : null }, ...children)
  })
  return ordered ? h('ol', { start: start === 1 ? null : start }, ...entries) : h('ul', {}, ...entries)
}

function table({ header, rows }: Tokens.Table): HTMLElement {
  const row = (cells: Tokens.TableCell[], name: 'th' | 'td') =>
    h(
      'tr',
      {},
      ...cells.map(cell => h(name, { class: cell.align ? `align-${cell.align}` : null }, ...cell.tokens.map(inline)))
    )
  return h(
    'div',
    { class: 'table', tabindex: 0, role: 'group', 'aria-label': 'Table' },
    h('table', {}, h('thead', {}, row(header, 'th')), h('tbody', {}, ...rows.map(cells => row(cells, 'td'))))
  )
}

function blocksOf(token: Token): HTMLElement[] {
  return childrenOf(token)
    .filter(({ type }) => type !== 'space')
    .map(token => block(token))
}

function inlines(token: Token): Node[] {
  const children = childrenOf(token)
  return children.length > 0 ? children.map(inline) : [document.createTextNode(textOf(token))]
}

function inline(token: Token): Node {
  switch (token.type) {
    case 'strong':
      return h('strong', {}, ...inlines(token))
    case 'em':
      return h('em', {}, ...inlines(token))
    case 'del':
      return h('del', {}, ...inlines(token))
    case 'codespan':
      return h('code', {}, textOf(token))
    case 'br':
      return h('br')
    case 'link':
      return link((token as Tokens.Link).href, ...inlines(token))
    case 'image':
      return link((token as Tokens.Image).href, textOf(token) || 'Picture')
    case 'checkbox':
      return checkbox(token as Tokens.Checkbox)
    case 'text':
      return childrenOf(token).length > 0 ? fragment(inlines(token)) : document.createTextNode(plain(textOf(token)))
    case 'escape':
      return document.createTextNode(textOf(token))
    default:
      // HTML among them.
      return document.createTextNode(token.raw)
  }
}

/** A link to another page; only its text when it leads anywhere else. */
export function link(href: string, ...children: (Node | string)[]): Node {
  const url = safeUrl(href)
  if (url === null) return fragment(children)
  return h('a', { href: url, target: '_blank', rel: 'noopener noreferrer nofollow ugc' }, ...children)
}

/** An absolute address of http, https or mailto, else `null`. */
function safeUrl(href: string): string | null {
  try {
    const url = new URL(href)
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null
  } catch {
    return null
  }
}

const named: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00A0',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  copy: '©'
}

/** Text with its character references (CommonMark §2.5) replaced: the usual ones, and every number. */
function plain(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]+));/gi, (whole, decimal, hex, name) => {
    if (name) return named[name] ?? whole
    const point = decimal ? Number(decimal) : Number.parseInt(hex, 16)
    return point > 0 && point <= 0x10_ff_ff ? String.fromCodePoint(point) : '\uFFFD'
  })
}

function fragment(children: readonly (Node | string)[]): DocumentFragment {
  const made = document.createDocumentFragment()
  made.append(...children)
  return made
}

function childrenOf(token: Token): Token[] {
  return 'tokens' in token && Array.isArray(token.tokens) ? token.tokens : []
}

function textOf(token: Token): string {
  return 'text' in token && typeof token.text === 'string' ? token.text : token.raw
}

/** An element that shows Markdown. */
export function markdown(text: string): HTMLElement {
  const element = h('div', { class: 'markdown' })
  showMarkdown(element, text)
  return element
}
