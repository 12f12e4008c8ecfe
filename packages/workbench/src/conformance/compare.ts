const prefixes = 'thr|msg|tc|wf|tsk|atc|shcx'
const placeholder = new RegExp(`<(?:((?:${prefixes}))\\d+|time)>`, 'g')
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?$/

/** Which recorded id stands for which of ours: one to one, for a whole scenario. */
export class Bindings {
  readonly #ours: Map<string, string>
  readonly #recorded: Map<string, string>

  constructor(of?: Bindings) {
    this.#ours = new Map(of ? of.#ours : [])
    this.#recorded = new Map(of ? of.#recorded : [])
  }

  /** @returns whether the two can be the same id. */
  bind(recorded: string, ours: string): boolean {
    if (!this.#ours.has(recorded) && !this.#recorded.has(ours)) {
      this.#ours.set(recorded, ours)
      this.#recorded.set(ours, recorded)
    }
    return this.#ours.get(recorded) === ours && this.#recorded.get(ours) === recorded
  }
}

/**
 * Where an answer is not what was recorded, in words; nothing when it is. Key order means nothing, array order does.
 */
export function differences(want: unknown, got: unknown, bindings: Bindings, path = ''): string[] {
  const here = path || 'answer'
  if (want === '<any>') return []
  if (typeof want === 'string') return sameText(want, got, bindings) ? [] : [`${here}: ${show(want)}, not ${show(got)}`]
  if (Array.isArray(want)) {
    if (!Array.isArray(got)) return [`${here}: an array, not ${show(got)}`]
    if (want.length !== got.length)
      return [`${here}: ${want.length} of ${types(want)}, not ${got.length} of ${types(got)}`]
    return want.flatMap((one, index) => differences(one, got[index], bindings, `${path}[${index}]`))
  }
  if (typeof want === 'object' && want !== null) {
    if (typeof got !== 'object' || got === null || Array.isArray(got)) return [`${here}: an object, not ${show(got)}`]
    // In sorted order, as ids were numbered when they were recorded.
    const keys = [...new Set([...Object.keys(want), ...Object.keys(got)])].toSorted()
    return keys.flatMap(key => {
      const inner = path ? `${path}.${key}` : key
      if (!Object.hasOwn(want, key)) return [`${inner}: there is none, not ${show(Reflect.get(got, key))}`]
      if (!Object.hasOwn(got, key)) return [`${inner}: missing, ${show(Reflect.get(want, key))} in the recording`]
      return differences(Reflect.get(want, key), Reflect.get(got, key), bindings, inner)
    })
  }
  return want === got ? [] : [`${here}: ${show(want)}, not ${show(got)}`]
}

function sameText(want: string, got: unknown, bindings: Bindings): boolean {
  if (typeof got !== 'string') return false
  if (want === '<time>') return dateTime.test(got) && !Number.isNaN(Date.parse(got))
  const recorded: string[] = []
  let [pattern, at] = ['', 0]
  for (const match of want.matchAll(placeholder)) {
    pattern += escaped(want.slice(at, match.index))
    if (match[1] === undefined) pattern += '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+(?:Z|[+-]\\d\\d:?\\d\\d)?'
    else {
      pattern += `(${match[1]}_[0-9A-Za-z]{6,})`
      recorded.push(match[0])
    }
    at = match.index + match[0].length
  }
  if (at === 0) return want === got
  const found = new RegExp(`^${pattern}${escaped(want.slice(at))}$`, 's').exec(got)
  return found !== null && recorded.every((one, index) => bindings.bind(one, found[index + 1] ?? ''))
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function types(values: readonly unknown[]): string {
  return values
    .map(value => (typeof value === 'object' && value !== null && 'type' in value ? String(value.type) : typeof value))
    .join(', ')
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
