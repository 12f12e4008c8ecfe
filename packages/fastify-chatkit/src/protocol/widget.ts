import { z } from 'zod'
import { actionDefaults } from './action.ts'

/** A part of a widget. Its properties are the front end's business; unknown types pass through. */
export interface WidgetNode {
  type: string
  id?: string | undefined
  key?: string | undefined
}

/** What a widget is made of: a `Card`, a `ListView`, a `Basic`, or a root a newer front end knows. */
export type WidgetRoot = WidgetNode

const actionKeys = new Set(['onClickAction', 'onChangeAction', 'onSubmitAction', 'action'])

/**
 * A widget as it goes over the wire: no nulls anywhere in it, each action with its defaults.
 */
export const widgetRoot = z
  .custom<WidgetRoot>(isNode, { message: 'A widget is an object with a type' })
  .transform(root => clean(root) as WidgetRoot)

/** A part of a widget, cleaned in the same way. */
export const widgetNode = widgetRoot

function isNode(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function clean(given: unknown, key = ''): unknown {
  const value = asJson(given)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.filter(isThere).map(one => clean(one))
  const result: Record<string, unknown> = actionKeys.has(key) && isNode(value) ? { ...actionDefaults } : {}
  for (const [name, inner] of Object.entries(value)) {
    // Free-form: what looks like an action in there is not one.
    if (isThere(inner)) result[name] = name === 'payload' ? withoutNulls(inner) : clean(inner, name)
  }
  return result
}

function withoutNulls(given: unknown): unknown {
  const value = asJson(given)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.filter(isThere).map(withoutNulls)
  const kept = Object.entries(value).filter(([, inner]) => isThere(inner))
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutNulls(inner)]))
}

/** A date is text in JSON. */
function asJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return 'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON() : value
}

/** Whether JSON has anything but null for it. */
function isThere(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  return value !== null && value !== undefined
}
