/** Where a text node stands in the growth of its text. */
interface Growth {
  /** Everything appended so far, shared by all nodes of one text. */
  readonly deltas: string[]
  /** How many of them are in this node's value. */
  readonly count: number
}

// Comparing two long texts to find out what was appended costs as much as the texts are long, for each token.
const growths = new WeakMap<object, Growth>()

/** Remembers where a node stands. It is frozen: what is remembered must stay true. */
export function remember<Node extends object>(node: Node, deltas: string[]): Node {
  growths.set(node, { deltas, count: deltas.length })
  return Object.freeze(node)
}

/** Whether the node is one that was remembered: clean, and never to change. */
export function isGrown(node: object): boolean {
  return growths.has(node)
}

/** What was appended from one node to a later one of the same text; `undefined` when they are not known to be that. */
export function appended(before: object, after: object): string | undefined {
  const from = growths.get(before)
  const to = growths.get(after)
  if (!from || !to || from.deltas !== to.deltas || from.count > to.count) return undefined
  return to.deltas.slice(from.count, to.count).join('')
}
