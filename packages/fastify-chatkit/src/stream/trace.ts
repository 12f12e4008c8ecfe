import { tracingChannel } from 'node:diagnostics_channel'
import type { StreamEvent } from '../protocol/event.ts'
import type { Emit, Outcome } from './run-responder.ts'

/** Name of the tracing channel that tells when an answer begins and ends; its messages are {@link TurnTrace}s. */
export const TURN_CHANNEL = 'fastify-chatkit:turn'

/** One answer, as it begins and as it has ended. Holds nothing that anybody said, so it may be logged as it is. */
export interface TurnTrace {
  threadId: string
  requestId: string
  /** How it ended; `null` until then. */
  outcome: Outcome | null
  /** Events told so far, and how many of them were pieces of text. */
  events: number
  deltas: number
  /** Until the first piece of text; `null` while there was none. In milliseconds. */
  firstDeltaMs: number | null
  /** `null` until the end. */
  durationMs: number | null
}

const tracing = tracingChannel<typeof TURN_CHANNEL, TurnTrace>(TURN_CHANNEL)

/** Runs an answer under the eyes of whoever subscribed to {@link TURN_CHANNEL}; costs nothing when nobody did. */
export function traced(
  about: Pick<TurnTrace, 'threadId' | 'requestId'>,
  emit: Emit,
  run: (emit: Emit) => Promise<Outcome>
): Promise<Outcome> {
  if (!tracing.hasSubscribers) return run(emit)
  const begun = performance.now()
  const trace: TurnTrace = { ...about, outcome: null, events: 0, deltas: 0, firstDeltaMs: null, durationMs: null }
  const counted: Emit = event => {
    trace.events++
    if (isDelta(event)) {
      trace.deltas++
      trace.firstDeltaMs ??= performance.now() - begun
    }
    return emit(event)
  }
  return tracing.tracePromise(async () => {
    trace.outcome = await run(counted)
    trace.durationMs = performance.now() - begun
    return trace.outcome
  }, trace)
}

function isDelta(event: StreamEvent): boolean {
  return event.type === 'thread.item.updated' && event.update.type === 'assistant_message.content_part.text_delta'
}
