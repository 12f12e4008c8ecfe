import type { WidgetNode } from '../protocol/widget.ts'
import { type ActionConfig, action } from './action.ts'
import { isGrown } from './growth.ts'

/** How many levels a widget may have, payloads included. The front end's own widgets stay below 20. */
export const maxWidgetDepth = 100

const actionProps = new Set(['onClickAction', 'onChangeAction', 'onSubmitAction'])
const footerProps = new Set(['confirm', 'cancel'])

/**
 * A copy without nulls: keys that hold one are dropped and elements that are one are removed, at every level.
 *
 * Right within widgets only. Free-form values elsewhere on the wire keep their nulls. The copy is what JSON would make
 * of the value: dates are text, and what JSON cannot say is dropped like a null.
 *
 * @throws TypeError the value has more than `maxWidgetDepth` levels, or refers to itself.
 */
export function stripNulls<Value extends object>(value: Value): Value {
  return plain(value, 0) as Value
}

/**
 * The widget as it goes over the wire: a copy without nulls, each action with its defaults.
 *
 * @throws TypeError as `stripNulls`.
 */
export function widgetJson<Root extends WidgetNode>(root: Root): Root {
  return node(root, 0) as Root
}

function node(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || isGrown(value)) return value ?? undefined
  if (Array.isArray(value) || 'toJSON' in value) return plain(value, depth)
  return object(value, depth, (name, inner) => {
    if (name === 'children') return Array.isArray(inner) ? list(inner, depth + 1, node) : node(inner, depth + 1)
    if (actionProps.has(name)) return complete(inner, depth + 1)
    if (footerProps.has(name)) return footer(inner, depth + 1)
    return plain(inner, depth + 1)
  })
}

function footer(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return plain(value, depth)
  return object(value, depth, (name, inner) =>
    name === 'action' ? complete(inner, depth + 1) : plain(inner, depth + 1)
  )
}

function complete(value: unknown, depth: number): unknown {
  const config = plain(value, depth)
  return isAction(config) ? { ...config, ...action(config) } : config
}

function isAction(value: unknown): value is ActionConfig {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value === 'function' || typeof value === 'symbol') return undefined
  if (typeof value !== 'object' || value === null) return value ?? undefined
  if ('toJSON' in value && typeof value.toJSON === 'function') return plain(value.toJSON(), depth + 1)
  if (Array.isArray(value)) return list(value, depth, plain)
  return object(value, depth, (_name, inner) => plain(inner, depth + 1))
}

function list(values: readonly unknown[], depth: number, copy: (value: unknown, depth: number) => unknown): unknown[] {
  refuseTooDeep(depth)
  const copies: unknown[] = []
  for (const value of values) {
    const one = copy(value, depth + 1)
    if (one !== undefined) copies.push(one)
  }
  return copies
}

function object(value: object, depth: number, copy: (name: string, value: unknown) => unknown): object {
  refuseTooDeep(depth)
  const entries: [string, unknown][] = []
  for (const [name, inner] of Object.entries(value)) {
    const one = copy(name, inner)
    if (one !== undefined) entries.push([name, one])
  }
  // Not by assignment: a key named __proto__ would set the prototype.
  return Object.fromEntries(entries)
}

function refuseTooDeep(depth: number): void {
  if (depth > maxWidgetDepth) throw new TypeError(`A widget has at most ${maxWidgetDepth} levels`)
}
