import { z } from 'zod'
import { chatkitErrors } from '../errors.ts'
import type { StructuredInputItem } from '../protocol/item/registry.ts'
import type { Answer, Question } from '../protocol/item/structured-input.ts'
import { loadItem, loadOpenThread } from './find.ts'
import { streamOperation } from './operation.ts'

const submission = z.object({
  status: z.enum(['answered', 'skipped']).default('answered'),
  answers: z
    .record(
      z.string(),
      z.object({ values: z.array(z.string()).default(() => []), skipped: z.boolean().default(false) })
    )
    .default(() => ({}))
})

/** Brings the answers to a structured input, all at once. */
export const threadsAddStructuredInput = streamOperation({
  type: 'threads.add_structured_input',
  params: z.object({ thread_id: z.string(), item_id: z.string(), input: submission }),
  threadId: ({ thread_id }) => thread_id,
  async begin({ thread_id, item_id, input }, { threads, settings, log, requestId }) {
    const { thread, item } = await threads.transaction(async tx => {
      const thread = await loadOpenThread(tx, thread_id, settings)
      const pending = await loadItem(tx, thread_id, item_id, 'structured_input')
      if (pending.status !== 'pending') throw new chatkitErrors.FST_CHATKIT_NOT_PENDING()
      const answered: StructuredInputItem = {
        ...pending,
        status: input.status,
        inputs: pending.inputs.map(question => ({ ...question, answer: answerTo(question, input) }))
      }
      await tx.saveItem(thread_id, answered)
      return { thread, item: answered }
    })
    const unknown = Object.keys(input.answers).filter(id => !item.inputs.some(question => question.id === id))
    if (unknown.length > 0)
      log.warn({ threadId: thread_id, itemId: item_id, requestId, unknown }, 'Answers to questions that were not asked')
    return {
      thread,
      after: [{ type: 'thread.item.replaced', item }],
      input: null,
      respond: settings.respond
    }
  }
})

// Values need not be among the options: people may answer in words of their own.
function answerTo(question: Question, { status, answers }: z.output<typeof submission>): Answer {
  const given = Object.hasOwn(answers, question.id) ? answers[question.id] : undefined
  if (status === 'skipped' || !given || given.skipped || given.values.length === 0) return { values: [], skipped: true }
  const one = question.type === 'multiple_choice' && !question.multiple
  return { values: one ? given.values.slice(0, 1) : given.values, skipped: false }
}
