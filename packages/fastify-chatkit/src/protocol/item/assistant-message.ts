import { z } from 'zod'
import { annotation } from '../source.ts'
import { defineItemKind, itemFields } from './item.ts'

/** A run of the assistant's text. */
export const outputText = z.object({
  type: z.literal('output_text').default('output_text'),
  text: z.string(),
  annotations: z.array(annotation).default(() => [])
})
/** A run of the assistant’s text, with its references to sources. */
export type OutputText = z.output<typeof outputText>

const partAdded = z.object({
  type: z.literal('assistant_message.content_part.added'),
  content_index: z.int().min(0).max(10_000),
  content: outputText
})
const textDelta = z.object({
  type: z.literal('assistant_message.content_part.text_delta'),
  content_index: z.int().min(0).max(10_000),
  delta: z.string()
})
const annotationAdded = z.object({
  type: z.literal('assistant_message.content_part.annotation_added'),
  content_index: z.int().min(0).max(10_000),
  annotation_index: z.int().min(0),
  annotation
})
const partDone = z.object({
  type: z.literal('assistant_message.content_part.done'),
  content_index: z.int().min(0).max(10_000),
  content: outputText
})

/** What the assistant said. */
export const assistantMessage = defineItemKind({
  type: 'assistant_message',
  audience: 'reader',
  schema: z.object({
    ...itemFields,
    type: z.literal('assistant_message'),
    content: z.array(outputText)
  }),
  updates: [partAdded, textDelta, annotationAdded, partDone],
  fold(item, update) {
    const part = partAt(item.content, update.content_index)
    if (update.type === 'assistant_message.content_part.text_delta') part.text += update.delta
    else if (update.type === 'assistant_message.content_part.annotation_added')
      part.annotations.splice(update.annotation_index, 0, update.annotation)
    else item.content[update.content_index] = { ...update.content, annotations: [...update.content.annotations] }
  },
  keepUnfinished: item => item.content.some(part => part.text.trim() !== '')
})

// Parts may be begun in any order: the missing ones are empty.
function partAt(content: OutputText[], index: number): OutputText {
  while (content.length <= index) content.push({ type: 'output_text', text: '', annotations: [] })
  return content[index] ?? { type: 'output_text', text: '', annotations: [] }
}
