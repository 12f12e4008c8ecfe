import type { Attachment } from '../../protocol/attachment.ts'
import type {
  ClientToolCallItem,
  ItemOf,
  StructuredInputItem,
  ThreadItem,
  UserMessageItem,
  WidgetItem
} from '../../protocol/item/registry.ts'
import type { Question } from '../../protocol/item/structured-input.ts'
import type { Task } from '../../protocol/task.ts'
import type { UserContent } from '../../protocol/user-input.ts'
import { type ModelMessage, type ModelPart, userText } from './message.ts'

/** An entity the user named. */
export type Tag = Extract<UserContent, { type: 'input_tag' }>

type Parts = ModelPart | ModelPart[] | null
type Messages = ModelMessage | ModelMessage[] | null

/** How things are told to a model of which only the application knows. */
export type ItemHooks = {
  /** What the model sees of an attachment; `null` for nothing. Without it, a message with one is an error. */
  attachment?(attachment: Attachment, message: UserMessageItem): Parts | Promise<Parts>
  /** What the model is told about an entity the user named; `null` for nothing but its name. @default nothing */
  tag?(tag: Tag, message: UserMessageItem): Parts | Promise<Parts>
  /** What the model is told by hidden context. Without it, content that is no text is an error. */
  hiddenContext?(item: ItemOf<'hidden_context_item'>): Messages | Promise<Messages>
  /** In place of the usual way, for all items of a type; `null` for nothing. */
  items?: { [Type in ThreadItem['type']]?: (item: ItemOf<Type>) => Messages | Promise<Messages> }
}

/**
 * What a model is told of one item.
 *
 * @param isLast whether it is the newest: only then is it told what the user quoted.
 * @throws TypeError for an item that only a hook can tell of.
 */
export async function fromItem(item: ThreadItem, isLast: boolean, hooks: ItemHooks): Promise<ModelMessage[]> {
  const instead = hooks.items?.[item.type] as ((item: ThreadItem) => Messages | Promise<Messages>) | undefined
  if (instead) return listOf(await instead(item))
  switch (item.type) {
    case 'user_message':
      return await fromUserMessage(item, isLast, hooks)
    case 'assistant_message': {
      const content = item.content.map(part => part.text).filter(text => text !== '')
      return content.length > 0 ? [{ type: 'assistant', content }] : []
    }
    case 'client_tool_call':
      return fromToolCall(item)
    case 'widget':
      return [fromWidget(item)]
    case 'task':
      return fromTask(item.task)
    case 'workflow':
      return item.workflow.tasks.flatMap(fromTask)
    case 'structured_input':
      return [fromStructuredInput(item)]
    case 'generated_image':
      if (!item.image) return []
      return [
        {
          type: 'user',
          content: [
            { type: 'text', text: 'This image was generated and shown to the user.' },
            { type: 'image', url: item.image.url }
          ]
        }
      ]
    case 'hidden_context_item':
      if (hooks.hiddenContext) return listOf(await hooks.hiddenContext(item))
      if (typeof item.content === 'string') return [hidden(item.content)]
      throw new TypeError('Hidden context that is no text needs the hiddenContext option of modelInput')
    case 'sdk_hidden_context':
      return [hidden(item.content)]
    case 'end_of_turn':
      return []
  }
}

async function fromUserMessage(item: UserMessageItem, isLast: boolean, hooks: ItemHooks): Promise<ModelMessage[]> {
  const text = item.content.map(part => (part.type === 'input_tag' ? `@${part.text}` : part.text)).join('')
  const content: ModelPart[] = text === '' ? [] : [{ type: 'text', text }]
  for (const attachment of item.attachments) {
    if (!hooks.attachment) throw new TypeError('A message with attachments needs the attachment option of modelInput')
    content.push(...listOf(await hooks.attachment(attachment, item)))
  }
  const messages: ModelMessage[] = content.length > 0 ? [{ type: 'user', content }] : []
  // The front end sends an empty text when nothing is quoted.
  if (isLast && item.quoted_text)
    messages.push(userText(`The user's message is about this passage:\n${item.quoted_text}`))
  const about: ModelPart[] = []
  for (const tag of distinctTags(item)) if (hooks.tag) about.push(...listOf(await hooks.tag(tag, item)))
  if (about.length > 0) {
    const intro = 'What the user named with @ is described below. Call it by its name, without the @.'
    messages.push({ type: 'user', content: [{ type: 'text', text: intro }, ...about] })
  }
  return messages
}

function distinctTags(item: UserMessageItem): Tag[] {
  const byText = new Map<string, Tag>()
  for (const part of item.content) if (part.type === 'input_tag' && !byText.has(part.text)) byText.set(part.text, part)
  return [...byText.values()]
}

// A model refuses a call without an output: one nobody answered was never made.
function fromToolCall(item: ClientToolCallItem): ModelMessage[] {
  if (item.status === 'pending') return []
  const { call_id: callId, name } = item
  return [
    { type: 'tool_call', callId, name, arguments: item.arguments },
    { type: 'tool_output', callId, name, output: item.output ?? null }
  ]
}

function fromWidget({ id, widget }: WidgetItem): ModelMessage {
  return userText(`This graphical widget (id: ${id}) was shown to the user: ${JSON.stringify(widget)}`)
}

function fromTask(task: Task): ModelMessage[] {
  if (task.type !== 'custom') return []
  const told = [task.title, task.content].filter(text => text).join(': ')
  return told === '' ? [] : [userText(`A step was taken and shown to the user:\n<Task>\n${told}\n</Task>`)]
}

function fromStructuredInput({ status, inputs }: StructuredInputItem): ModelMessage {
  const lines = inputs.map(input => `- ${input.question} ${answerTo(input)}`)
  return userText([`The user was asked the following (${status}):`, ...lines].join('\n'))
}

function answerTo({ answer }: Question): string {
  if (!answer) return '(unanswered)'
  return answer.skipped || answer.values.length === 0 ? '(skipped)' : answer.values.join(', ')
}

function hidden(content: string): ModelMessage {
  return userText(
    `For you alone, not from the user and not shown to the user:\n<HiddenContext>\n${content}\n</HiddenContext>`
  )
}

function listOf<One>(value: One | One[] | null): One[] {
  if (value === null) return []
  return Array.isArray(value) ? value : [value]
}
