import type { z } from 'zod'
import type { AttachmentStore } from '../attachment/attachment-store.ts'
import type { StreamEvent } from '../protocol/event.ts'
import type { IdFactory } from '../protocol/ids.ts'
import type { UserMessageItem } from '../protocol/item/registry.ts'
import type { ThreadMetadata } from '../protocol/thread.ts'
import type {
  ActionResponder,
  Responder,
  ResponderEvents,
  StreamOptionsHook,
  SyncActionResponder,
  Turn,
  TurnLog
} from '../responder/responder.ts'
import type { Feedback, OwnedThreads } from '../store/thread-store.ts'

/** What the application said, once for all requests. */
export type Settings = {
  respond: Responder
  action: ActionResponder | null
  syncAction: SyncActionResponder | null
  streamOptions: StreamOptionsHook | null
  feedback: ((feedback: Feedback & { owner: string }) => void | Promise<void>) | null
  transcribe: ((recording: Recording) => string | Promise<string>) | null
  attachments: AttachmentStore | null
  limits: { messageLength: number; attachments: number; attachmentBytes: number; pageSize: number }
  refuse: readonly ('closed' | 'locked')[]
  persistWidgetUpdates: boolean
  keepUploadDescriptor: boolean
  newId: IdFactory
  now: () => Date
  /** A thread was deleted: whoever is still writing to it must stop. */
  onThreadDeleted: (owner: string, threadId: string) => void
}

/** Sound to be turned into text. */
export type Recording = {
  audio: Buffer
  /** As sent, such as `audio/webm;codecs=opus`. */
  mimeType: string
  /** The part before `;`. */
  mediaType: string
  owner: string
  signal: AbortSignal
}

/** One request, as operations see it. */
export type Call = {
  owner: string
  threads: OwnedThreads
  /** The application's own words in the request. */
  metadata: Record<string, unknown>
  /** What the application made of the request. */
  context: unknown
  requestId: string
  log: TurnLog
  settings: Settings
  /** Aborts when the reader leaves; for a stream, when its run is ended. */
  signal: AbortSignal
}

/** How a stream begins, once everything has been checked and stored. */
export type Beginning = {
  thread: ThreadMetadata
  /** Told before the stream's options. */
  before?: StreamEvent[]
  /** Told after them. */
  after?: StreamEvent[]
  input: UserMessageItem | null
  respond: (turn: Turn) => ResponderEvents
}

/** The only thing a stream says, where there is nothing to run. */
export type Refusal = { thread: ThreadMetadata; refusal: StreamEvent }

export type JsonOperation<Params extends z.ZodType = z.ZodType> = {
  type: string
  answer: 'json'
  params: Params
  run(params: z.output<Params>, call: Call): Promise<unknown>
}

export type StreamOperation<Params extends z.ZodType = z.ZodType> = {
  type: string
  answer: 'stream'
  params: Params
  /** The thread it is about, before anything is looked up; `null` when it makes one. */
  threadId(params: z.output<Params>): string | null
  begin(params: z.output<Params>, call: Call): Promise<Beginning | Refusal>
}

export type Operation = JsonOperation | StreamOperation

/** An operation that answers at once, with JSON. */
export function jsonOperation<Params extends z.ZodType>(operation: Omit<JsonOperation<Params>, 'answer'>) {
  return { ...operation, answer: 'json' as const } satisfies JsonOperation<Params>
}

/** An operation that answers with a stream. */
export function streamOperation<Params extends z.ZodType>(operation: Omit<StreamOperation<Params>, 'answer'>) {
  return { ...operation, answer: 'stream' as const } satisfies StreamOperation<Params>
}
