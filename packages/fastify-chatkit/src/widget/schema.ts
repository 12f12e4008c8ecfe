import { z } from 'zod'
import type { WidgetRoot } from '../protocol/widget.ts'
import { widgetJson } from './json.ts'

type Path = (string | number)[]

/**
 * A widget from anywhere: an object with a `type`, whose `children`, if any, are such objects too, at most
 * `maxWidgetDepth` levels deep. Types and props nobody knows pass through. Gives the copy that `widgetJson` makes.
 */
export const widgetRoot = z
  .custom<WidgetRoot>(isNode, { message: 'A widget is an object with a type' })
  .transform((value, context): WidgetRoot => {
    const root = copy(value)
    if (typeof root === 'string') {
      context.issues.push({ code: 'custom', message: root, input: undefined })
      return z.NEVER
    }
    const path = wrongChild(root, [])
    if (!path) return root
    context.issues.push({ code: 'custom', message: 'A child of a widget is an object with a type', input: value, path })
    return z.NEVER
  })

/** The clean copy, or why there is none. */
function copy(value: WidgetRoot): WidgetRoot | string {
  try {
    return widgetJson(value)
  } catch (error) {
    if (error instanceof TypeError) return error.message
    throw error
  }
}

/** Where the first child is that is no component. */
function wrongChild(node: object, path: Path): Path | undefined {
  if (!('children' in node)) return undefined
  const { children } = node
  if (!Array.isArray(children)) return wrongNode(children, [...path, 'children'])
  for (const [at, child] of children.entries()) {
    const wrong = wrongNode(child, [...path, 'children', at])
    if (wrong) return wrong
  }
  return undefined
}

function wrongNode(value: unknown, path: Path): Path | undefined {
  return isNode(value) ? wrongChild(value, path) : path
}

function isNode(value: unknown): value is WidgetRoot {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
