import type { Annotation } from 'fastify-chatkit'
import type { HelpCentre } from '../help-centre/help-centre.ts'
import type { Found } from '../help-centre/search.ts'

/** The sources that a text refers to by number, `[1]`, each where it does so. Code refers to nothing. */
export function citations(
  text: string,
  passages: readonly Found[],
  help: Pick<HelpCentre, 'sourceOf'>
): Omit<Annotation, 'type'>[] {
  // As long as before, so that places stay what they are.
  const words = text.replaceAll(/```[\s\S]*?(?:```|$)|`[^`\n]*`/g, code => ' '.repeat(code.length))
  return [...words.matchAll(/\[(\d{1,2}(?:\s*,\s*\d{1,2})*)\](?!\()/g)].flatMap(match =>
    (match[1] ?? '').split(',').flatMap(number => {
      const passage = passages[Number(number) - 1]
      return passage === undefined ? [] : [{ source: help.sourceOf(passage), index: match.index + match[0].length }]
    })
  )
}
