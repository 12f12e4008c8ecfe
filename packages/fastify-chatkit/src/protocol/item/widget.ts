import { z } from 'zod'
import { optional } from '../schema.ts'
import { widgetNode, widgetRoot } from '../widget.ts'
import { defineItemKind, itemFields } from './item.ts'

const valueDelta = z.object({
  type: z.literal('widget.streaming_text.value_delta'),
  component_id: z.string(),
  delta: z.string(),
  done: z.boolean()
})
const componentUpdated = z.object({
  type: z.literal('widget.component.updated'),
  component_id: z.string(),
  component: widgetNode
})
const rootUpdated = z.object({ type: z.literal('widget.root.updated'), widget: widgetRoot })

/** A piece of user interface in the thread. */
export const widget = defineItemKind({
  type: 'widget',
  audience: 'reader',
  schema: z.object({
    ...itemFields,
    type: z.literal('widget'),
    widget: widgetRoot,
    copy_text: optional(z.string())
  }),
  updates: [valueDelta, componentUpdated, rootUpdated],
  fold(item, update) {
    if (update.type === 'widget.root.updated') item.widget = update.widget
    else if (update.type === 'widget.component.updated')
      item.widget = replaceComponent(item.widget, update.component_id, () => update.component)
    else
      item.widget = replaceComponent(item.widget, update.component_id, node => ({
        ...node,
        value: `${'value' in node && typeof node.value === 'string' ? node.value : ''}${update.delta}`,
        ...(update.done ? { streaming: false } : {})
      }))
  }
})

type Node = { type: string; id?: string | undefined }

function replaceComponent<Any extends Node>(node: Any, id: string, change: (node: Node) => Node): Any {
  if (node.id === id) return change(node) as Any
  if (!('children' in node) || typeof node.children !== 'object' || node.children === null) return node
  const children = Array.isArray(node.children)
    ? node.children.map(child => (isNode(child) ? replaceComponent(child, id, change) : child))
    : isNode(node.children)
      ? replaceComponent(node.children, id, change)
      : node.children
  return { ...node, children }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
