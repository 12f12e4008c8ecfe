import { isChatKitError } from '../errors.ts'
import type { ErrorEvent, ResponderEvent, StreamEvent, StreamOptions } from '../protocol/event.ts'
import type { IdFactory } from '../protocol/ids.ts'
import type { ThreadMetadata } from '../protocol/thread.ts'
import { eventToClient, threadToClient } from '../protocol/to-client.ts'
import type { ResponderEvents, TurnLog } from '../responder/responder.ts'
import { ChatKitStreamError } from '../responder/stream-error.ts'
import type { OwnedThreads } from '../store/thread-store.ts'
import { unlessAborted } from '../unless-aborted.ts'
import { EventSink } from './event-sink.ts'
import { interruptible } from './interruptible.ts'
import { LiveThread } from './live-thread.ts'
import { cancelledMarker, type Unfinished } from './unfinished.ts'

/** Why a run was ended from outside. */
export type EndReason = 'left' | 'deleted' | 'timeout' | 'closing'

/** How a run ended: by itself, by an error of its responder, or from outside. */
export type Outcome = 'done' | 'failed' | EndReason

/** Takes one event on its way out. A promise asks to wait: the readers have enough for now. */
export type Emit = (event: StreamEvent) => Promise<void> | undefined

/** Everything a responder needs to be run. */
export type Running = {
  thread: ThreadMetadata
  threads: OwnedThreads
  /** Events that are true already, told before anything else. */
  before: StreamEvent[]
  /** Events told once the reader knows what it may do. */
  after: StreamEvent[]
  /** What the reader may do; `null` when it is not to be told. */
  streamOptions: ((thread: ThreadMetadata) => Promise<StreamOptions>) | null
  respond: (thread: ThreadMetadata) => ResponderEvents
  /** Aborted with an `EndReason`. */
  signal: AbortSignal
  /** Store root updates of widgets that are stored already. */
  persistWidgetUpdates: boolean
  /** Where items are kept until they are done. */
  unfinished: Unfinished
  newId: IdFactory
  now: () => Date
  log: TurnLog
  requestId: string
}

/**
 * Runs a responder to its end: what it yields is stored, then told.
 *
 * Whatever the end – done, failed, reader gone, time over – changes of the thread are saved, and text that was begun is
 * kept unless the responder itself dropped it. Never rejects.
 *
 * @returns how it ended.
 */
export async function runResponder(running: Running, emit: Emit): Promise<Outcome> {
  const { threads, thread, signal, log, requestId } = running
  const live = new LiveThread(thread)
  const sink = new EventSink(running)
  const problem = (err: unknown, message: string) => log.error({ err, threadId: thread.id, requestId }, message)

  const tell = async (event: StreamEvent) => {
    const visible = eventToClient(event)
    if (visible) await emit(visible)
  }
  const tellThread = async () => {
    const saved = live.touched ? await live.save(threads) : null
    if (saved) await emit({ type: 'thread.updated', thread: threadToClient(saved) })
  }
  // At an end, one thing that cannot be done must not keep the others from being done.
  const atLeastTry = async (what: string, work: () => Promise<unknown>) => {
    try {
      await work()
    } catch (error) {
      if (!threadIsGone(error)) problem(error, what)
    }
  }
  const keepUnfinished = async () => {
    for (const item of sink.unfinished.takeWorthKeeping())
      await atLeastTry('A half answer could not be kept', async () => {
        const event = await sink.keep(item)
        if (event) await emit(event)
      })
  }
  const saveThread = () => atLeastTry('A change of the thread could not be saved', tellThread)

  let events: ReturnType<typeof interruptible<ResponderEvent>> | undefined
  let steps = 0
  try {
    for (const event of running.before) await tell(event)
    if (running.streamOptions) {
      const { allow_cancel } = await unlessAborted(running.streamOptions(live.thread), signal)
      await tell({ type: 'stream_options', stream_options: { allow_cancel } })
    }
    for (const event of running.after) await tell(event)
    signal.throwIfAborted()
    events = interruptible(running.respond(live.thread), signal)
    for (;;) {
      const { done, value } = await events.next()
      if (done) break
      // A delta is taken and told without waiting for anybody.
      const taken = sink.take(value)
      const event = taken instanceof Promise ? await taken : taken
      const full = event && emit(event)
      if (full) await full
      if (live.touched) await tellThread()
      // A responder that never waits must not keep everybody else waiting.
      if (++steps % 256 === 0) await new Promise(setImmediate)
    }
    await tellThread()
    return 'done'
  } catch (error) {
    const reason: EndReason | null = signal.aborted ? endReason(signal) : threadIsGone(error) ? 'deleted' : null
    await events?.leave()
    if (reason === 'deleted') return reason
    await keepUnfinished()
    if (reason === 'left') {
      const marker = cancelledMarker(thread.id, running.newId, running.now())
      await atLeastTry('The end of an answer could not be noted', () => threads.addItem(thread.id, marker))
    } else {
      if (reason === null && !(error instanceof ChatKitStreamError)) problem(error, 'A responder failed')
      await emit(errorEvent(error))
    }
    await saveThread()
    return reason ?? 'failed'
  }
}

/** What the reader is told of an error: the words meant for it, and of any other error nothing. */
export function errorEvent(error: unknown): ErrorEvent & { type: 'error' } {
  if (!(error instanceof ChatKitStreamError)) return { type: 'error', code: 'stream.error', allow_retry: true }
  const { code, publicMessage, allowRetry } = error
  return { type: 'error', code, ...(publicMessage === null ? {} : { message: publicMessage }), allow_retry: allowRetry }
}

function endReason(signal: AbortSignal): EndReason {
  const { reason } = signal
  return reason === 'deleted' || reason === 'timeout' || reason === 'closing' ? reason : 'left'
}

function threadIsGone(error: unknown): boolean {
  return isChatKitError(error) && error.code === 'FST_CHATKIT_THREAD_NOT_FOUND'
}
