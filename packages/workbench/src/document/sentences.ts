import { readdirSync, readFileSync } from 'node:fs'

/** A sentence of the host that names a cure, in two. Holes that are filled at run time are `…`. */
export interface Sentence {
  /** What is wrong; of a variable, with `…` for its name. */
  problem: string
  /** What to do about it, where it differs more than one. */
  cures: string[]
  variable: boolean
}

const source = new URL('../../../chatkit-host/src/', import.meta.url)

/** A text in quotes of any kind, or several that are put together. */
const TEXT = /(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)/.source
const UNFIT = /new Unfit\(\s*['"`]/g
const TEXTS = new RegExp(`(new Unfit\\(\\s*)?(${TEXT}(?:\\s*\\+\\s*${TEXT})*)`, 'g')

/** Every sentence with a cure in the source of the host: of a start that fails, of a variable that is refused. */
export function sentencesWithCures(): Sentence[] {
  const found = new Map<string, Sentence>()
  for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' }).toSorted()) {
    // What is said to a model is no message to anybody.
    if (!file.endsWith('.ts') || file.startsWith('model/')) continue
    const code = readFileSync(new URL(file, source), 'utf8').replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, '')
    const texts = [...code.matchAll(TEXTS)]
    const lost = (code.match(UNFIT)?.length ?? 0) - texts.filter(([, unfit]) => unfit !== undefined).length
    if (lost > 0) throw new Error(`${file} has ${lost} messages that are not found: a quote stands outside of a text`)
    for (const [, unfit, text = ''] of texts) {
      const words = plain(text)
      const sentence = unfit === undefined ? words : `… ${words}.`
      const [, problem, cure] = /^((?:[A-Z…]).{4,}?): (.{8,}\.)$/s.exec(sentence) ?? []
      if (problem === undefined || cure === undefined || !/\s/.test(problem)) continue
      const known = found.get(problem)
      if (known === undefined) found.set(problem, { problem, cures: [cure], variable: unfit !== undefined })
      else if (!known.cures.includes(cure)) known.cures.push(cure)
    }
  }
  return [...found.values()]
}

function plain(texts: string): string {
  const parts = [...texts.matchAll(new RegExp(TEXT, 'g'))].map(([text]) => text.slice(1, -1))
  return parts
    .join('')
    .replaceAll(/\$\{(?:[^{}]|\{[^}]*\})*\}/g, '…')
    .replaceAll(/\\(.)/g, '$1')
}
