import type {
  AssistantMessageItem,
  ItemUpdate,
  ThreadItem,
  WidgetItem,
  WorkflowItem
} from '../protocol/item/registry.ts'

type UpdateOf<Prefix extends string> = Extract<ItemUpdate, { type: `${Prefix}.${string}` }>
type OutputText = AssistantMessageItem['content'][number]

/** An item after an update, as the server itself folds it in. The same item when the update is not one for its kind. */
export function fold(item: ThreadItem, update: ItemUpdate): ThreadItem {
  if (item.type === 'assistant_message' && isFor(update, 'assistant_message')) return foldMessage(item, update)
  if (item.type === 'widget' && isFor(update, 'widget')) return foldWidget(item, update)
  if (item.type === 'workflow' && isFor(update, 'workflow')) return foldWorkflow(item, update)
  if (item.type === 'generated_image' && update.type === 'generated_image.updated')
    return { ...item, image: update.image }
  return item
}

function isFor<Prefix extends string>(update: ItemUpdate, prefix: Prefix): update is UpdateOf<Prefix> {
  return update.type.startsWith(`${prefix}.`)
}

function foldMessage(item: AssistantMessageItem, update: UpdateOf<'assistant_message'>): AssistantMessageItem {
  const content = [...item.content]
  // Parts may be begun in any order: the missing ones are empty.
  while (content.length <= update.content_index) content.push({ type: 'output_text', text: '', annotations: [] })
  const part = content[update.content_index]
  if (!part) return item
  const changed = changedPart(part, update)
  if (changed === part) return item
  content[update.content_index] = changed
  return { ...item, content }
}

function changedPart(part: OutputText, update: UpdateOf<'assistant_message'>): OutputText {
  switch (update.type) {
    case 'assistant_message.content_part.text_delta':
      return { ...part, text: part.text + update.delta }
    case 'assistant_message.content_part.annotation_added':
      return { ...part, annotations: part.annotations.toSpliced(update.annotation_index, 0, update.annotation) }
    case 'assistant_message.content_part.added':
    case 'assistant_message.content_part.done':
      return update.content
    default:
      return part
  }
}

function foldWorkflow(item: WorkflowItem, update: UpdateOf<'workflow'>): WorkflowItem {
  const { tasks } = item.workflow
  if (update.type === 'workflow.task.updated' && update.task_index < tasks.length)
    return { ...item, workflow: { ...item.workflow, tasks: tasks.with(update.task_index, update.task) } }
  // The reference server appends, whatever the index says.
  if (update.type === 'workflow.task.added')
    return { ...item, workflow: { ...item.workflow, tasks: [...tasks, update.task] } }
  return item
}

function foldWidget(item: WidgetItem, update: UpdateOf<'widget'>): WidgetItem {
  switch (update.type) {
    case 'widget.root.updated':
      return { ...item, widget: update.widget }
    case 'widget.component.updated':
      return { ...item, widget: replace(item.widget, update.component_id, () => update.component) }
    case 'widget.streaming_text.value_delta':
      return {
        ...item,
        widget: replace(item.widget, update.component_id, node => ({
          ...node,
          value: `${'value' in node && typeof node.value === 'string' ? node.value : ''}${update.delta}`,
          ...(update.done ? { streaming: false } : {})
        }))
      }
    default:
      return item
  }
}

type Node = WidgetItem['widget']

function replace(node: Node, id: string, change: (node: Node) => Node): Node {
  if (node.id === id) return change(node)
  if (!('children' in node)) return node
  const { children } = node
  if (Array.isArray(children))
    return withChildren(
      node,
      children.map(child => (isNode(child) ? replace(child, id, change) : child))
    )
  return isNode(children) ? withChildren(node, replace(children, id, change)) : node
}

function withChildren(node: Node, children: unknown): Node {
  return { ...node, children } as Node
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}
