/** How a new file of some kind is made. Paths are below `packages/`. */
export interface Recipe {
  /** A name it could have. */
  example: string
  /** @param read the text of a file that is there. */
  cook(name: string, read: (path: string) => string): { made: Record<string, string>; changed: Record<string, string> }
}

/** `require-same-origin` → `requireSameOrigin` */
export function camel(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/**
 * Replaces what must be there: a sibling that has changed its ways is to be noticed here, not in what is made of it.
 *
 * @throws Error naming what was not found.
 */
export function replace(text: string, ...pairs: [what: string, by: string][]): string {
  return pairs.reduce((result, [what, by]) => {
    if (!result.includes(what)) throw new Error(`The sibling no longer says "${what}": put the recipe right.`)
    return result.replaceAll(what, by)
  }, text)
}

/** Adds a line below one that must be there. */
export function addBelow(text: string, line: string, added: string): string {
  return replace(text, [`${line}\n`, `${line}\n${added}\n`])
}
