import type { ItemOf, Source } from './client/index.js'
import { h } from './dom.ts'
import { link } from './markdown.ts'

type Part = ItemOf<'assistant_message'>['content'][number]

/** What an answer rests on, each thing once. A thing's number is its place in the list, from 1. */
export function sourcesOf(content: readonly Part[]): Source[] {
  const unique = new Map<string, Source>()
  for (const { annotations } of content) for (const { source } of annotations) unique.set(keyOf(source), source)
  return [...unique.values()]
}

// Characters of nobody's (Unicode's private use area), which Markdown takes for letters.
const mark = (number: number) => `\uE200${number}\uE201`
const MARKS = /\uE200(\d+)\uE201/

/** An answer's text, with a mark at every place where it refers to a source. What a model wrote there, `[2]`, makes room. */
export function withMarks(content: readonly Part[]): string {
  const keys = sourcesOf(content).map(keyOf)
  return content.map(part => markPart(part, keys)).join('\n\n')
}

function markPart({ text, annotations }: Part, keys: readonly string[]): string {
  const places = new Map<number, Set<number>>()
  for (const { index, source } of annotations) {
    if (index === undefined || index === null || index <= 0 || index > text.length) continue
    places.set(index, (places.get(index) ?? new Set()).add(keys.indexOf(keyOf(source)) + 1))
  }
  // From the end, so that places before stay what they are.
  return [...places]
    .toSorted(([one], [other]) => other - one)
    .reduce((marked, [index, numbers]) => insert(marked, index, [...numbers].map(mark).join('')), text)
}

function insert(text: string, index: number, marks: string): string {
  const own = /\s?\[\d{1,2}(?:\s*,\s*\d{1,2})*\]$/.exec(text.slice(0, index))
  // Not within a word.
  const at = own ? index : index + (/^[\p{L}\p{N}*_`]*/u.exec(text.slice(index))?.[0].length ?? 0)
  const before = own ? text.slice(0, own.index) : text.slice(0, at)
  const after = text.slice(at)
  const fences = [...before.matchAll(/^[ >]*(?:```|~~~)/gm)]
  // A program is shown as it was written. Of one that has just ended the mark stands before it, where its words are.
  if (fences.length % 2 === 1) return text
  if (/(?:^|\n)[ >]*(?:```|~~~)[^\n]*$/.test(before)) {
    const words = before.slice(0, fences.at(-2)?.index).trimEnd()
    return words === '' ? `${before}\n\n${marks}${after}` : insert(text, words.length, marks)
  }
  // In the last cell of a table's row, not after it.
  const row = /\s*\|$/.exec(before)
  return row ? `${before.slice(0, row.index)}${marks} |${after}` : `${before}${marks}${after}`
}

/** Turns the marks in an element into numbers that say, and lead to, what is meant. */
export function showMarks(element: HTMLElement, sources: readonly Source[]): void {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  const texts: Text[] = []
  while (walker.nextNode()) if (MARKS.test(walker.currentNode.nodeValue ?? '')) texts.push(walker.currentNode as Text)
  for (const text of texts) {
    const inCode = text.parentElement?.closest('code') !== null
    // Text and numbers take turns.
    const pieces = text.data.split(MARKS)
    text.replaceWith(
      ...pieces.flatMap((piece, place): (string | HTMLElement)[] => {
        if (place % 2 === 0) return piece === '' ? [] : [piece]
        const source = sources[Number(piece) - 1]
        return source === undefined || inCode ? [] : [citation(source, piece)]
      })
    )
  }
}

function citation(source: Source, number: string): HTMLElement {
  const shown = source.type === 'url' ? link(source.url, number) : number
  return h('sup', { class: 'citation', title: source.title }, h('span', { class: 'visually-hidden' }, 'source '), shown)
}

function keyOf(source: Source): string {
  const name =
    source.type === 'url' ? source.url : source.type === 'file' ? `${source.filename} ${source.title}` : source.id
  return `${source.type} ${name}`
}
