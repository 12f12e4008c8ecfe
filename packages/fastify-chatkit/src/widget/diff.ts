import type { ItemUpdate } from '../protocol/item/registry.ts'
import type { WidgetNode, WidgetRoot } from '../protocol/widget.ts'
import { appended } from './growth.ts'

/** An update to a widget that is still streaming. */
export type WidgetUpdate = Extract<ItemUpdate, { type: `widget.${string}` }>

interface Walk {
  /** How many components have the id. */
  readonly ids: Map<string, number>
  readonly grown: { id: string; delta: string; done: boolean }[]
}

/**
 * The updates that make one state of a widget of another.
 *
 * Nothing, when they are equal. What was appended to the `value` of a `Text` or `Markdown`, when nothing else changed and
 * an update can name it: it has an `id` no other component has, and all around it are lists of children. Else the whole
 * new widget.
 *
 * Differs from chatkit-python, which sends nothing at all when text without an `id`, or below a `Transition`, grows.
 */
export function diffWidget(before: WidgetRoot, after: WidgetRoot): WidgetUpdate[] {
  const walk: Walk = { ids: new Map(), grown: [] }
  const replace: WidgetUpdate[] = [{ type: 'widget.root.updated', widget: after }]
  if (!equalNodes(before, after, walk, true)) return replace
  if (walk.grown.some(({ id }) => walk.ids.get(id) !== 1)) return replace
  return walk.grown.map(({ id, delta, done }) => ({
    type: 'widget.streaming_text.value_delta',
    component_id: id,
    delta,
    done
  }))
}

/** Whether nothing but text grew. `reachable`: an update can name what is here. */
function equalNodes(before: object, after: object, walk: Walk, reachable: boolean): boolean {
  const now: Partial<WidgetNode> & { value?: unknown; streaming?: unknown } = after
  if (typeof now.id === 'string') walk.ids.set(now.id, (walk.ids.get(now.id) ?? 0) + 1)
  return equalObjects(before, after, (name, from, to) => {
    if (name === 'children') return equalChildren(from, to, walk, reachable)
    if (from === to || name !== 'value' || !isText(now.type)) return equal(from, to)
    const delta = appended(before, after) ?? tail(from, to)
    if (delta === undefined || !reachable || !now.id) return false
    walk.grown.push({ id: now.id, delta, done: !now.streaming })
    return true
  })
}

function equalChildren(before: unknown, after: unknown, walk: Walk, reachable: boolean): boolean {
  if (Array.isArray(before) && Array.isArray(after))
    return before.length === after.length && before.every((child, at) => equalChild(child, after[at], walk, reachable))
  return equalChild(before, after, walk, false)
}

function equalChild(before: unknown, after: unknown, walk: Walk, reachable: boolean): boolean {
  return isObject(before) && isObject(after) ? equalNodes(before, after, walk, reachable) : equal(before, after)
}

function equalObjects(
  before: object,
  after: object,
  equalValues: (name: string, before: unknown, after: unknown) => boolean
): boolean {
  const old = new Map(Object.entries(before).filter(isThere))
  const entries = Object.entries(after).filter(isThere)
  return (
    old.size === entries.length &&
    entries.every(([name, value]) => old.has(name) && equalValues(name, old.get(name), value))
  )
}

function equal(before: unknown, after: unknown): boolean {
  if (before === after) return true
  if (Array.isArray(before) && Array.isArray(after))
    return before.length === after.length && before.every((value, at) => equal(value, after[at]))
  if (!isObject(before) || !isObject(after)) return false
  return equalObjects(before, after, (_name, from, to) => equal(from, to))
}

/** What was appended to a text, which is never nothing. */
function tail(before: unknown, after: unknown): string | undefined {
  if (typeof before !== 'string' || typeof after !== 'string') return undefined
  // Not `startsWith`, which compares a character at a time.
  return after.slice(0, before.length) === before ? after.slice(before.length) : undefined
}

function isText(type: unknown): boolean {
  return type === 'Text' || type === 'Markdown'
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isThere([, value]: [string, unknown]): boolean {
  return value !== undefined
}
