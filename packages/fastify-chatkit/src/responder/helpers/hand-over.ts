import type { ResponderEvent } from '../../protocol/event.ts'
import type { Turn } from '../responder.ts'

/** A call that is the page's to answer, under the model's own id for it. */
export type HandedCall = { callId: string; name: string; arguments: Record<string, unknown> }

/**
 * Ends a turn with a call of the page's. What tools gave in this turn is noted before it, for the model alone: it does not come back
 * otherwise, and the model would use them again.
 *
 * @param used a line a tool: its call and what it gave.
 */
export function handOver(turn: Pick<Turn, 'newItemId'>, call: HandedCall, used: readonly string[]): ResponderEvent[] {
  const events: ResponderEvent[] = []
  if (used.length > 0) {
    const id = turn.newItemId('hidden_context_item')
    const content = `Tools used for this answer so far, and what they gave:\n${used.join('\n')}`
    events.push({ type: 'thread.item.done', item: { type: 'hidden_context_item', id, content } })
  }
  const { callId: call_id, name, arguments: args } = call
  const id = turn.newItemId('client_tool_call')
  events.push({ type: 'thread.item.done', item: { type: 'client_tool_call', id, call_id, name, arguments: args } })
  return events
}
