import type { FastifyRequest, RouteShorthandOptions } from 'fastify'
import type { AttachmentStore } from './attachment/attachment-store.ts'
import type { IdKind } from './protocol/ids.ts'
import type { ActionResponder, Responder, StreamOptionsHook, SyncActionResponder } from './responder/responder.ts'
import type { Feedback, ThreadStore } from './store/thread-store.ts'

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

/** How much one owner, and one request, may ask for. Times are in milliseconds. */
export type Limits = {
  /** Bytes of a request. Sound comes inside the body, a third larger than it is. @default 4 MiB */
  bodyBytes: number
  /** UTF-16 units of all text in one message, its quote included. @default 100_000 */
  messageLength: number
  /** Attachments of one message. @default 10 */
  attachments: number
  /** Bytes an attachment may say it has. @default 100 MiB */
  attachmentBytes: number
  /** Records on a page; the front end asks for 9999 threads at once. @default 10_000 */
  pageSize: number
  /** Streams one owner may have open at a time in this process. @default 10 */
  openStreams: number
  /** How long a stream may last. @default 10 minutes */
  streamMs: number
}

/** Makes ids in place of this package's own. An id must be new each time. */
export type IdFactory = (kind: IdKind) => string

export interface ChatKitOptions<Context = unknown> {
  /** Where the one POST route is. @default "/chatkit" */
  path?: string
  /** Hooks of that route. A guard belongs into `onRequest`, so that a stranger's body is never read. */
  onRequest?: RouteShorthandOptions['onRequest']
  preParsing?: RouteShorthandOptions['preParsing']
  preValidation?: RouteShorthandOptions['preValidation']
  preHandler?: RouteShorthandOptions['preHandler']
  /** `config` of that route, for other plugins. */
  config?: RouteShorthandOptions['config']
  /** Whose threads these are: an id that no two people share. */
  owner: (request: FastifyRequest) => string | Promise<string>
  /** What responders get as `turn.context`. */
  context?: (request: FastifyRequest) => Context | Promise<Context>
  threadStore: ThreadStore
  /** Answers messages. */
  respond: Responder<Context>
  /** Answers `threads.custom_action`. Without it such a request is refused. */
  action?: ActionResponder<Context>
  /** Answers `threads.sync_custom_action`. Without it such a request is refused. */
  syncAction?: SyncActionResponder<Context>
  /** Hears opinions; they are stored as well. */
  feedback?: (feedback: Feedback & { owner: string }) => void | Promise<void>
  /** Turns sound into text. Without it such a request is refused. */
  transcribe?: (recording: Recording) => string | Promise<string>
  /** @default cancelling is allowed */
  streamOptions?: StreamOptionsHook<Context>
  /** Where the bytes of attachments are. Without it, attachments are refused. */
  attachments?: AttachmentStore
  /** @default ids of 96 random bits */
  newId?: IdFactory
  limits?: Partial<Limits>
  /** Pause after which an idle stream says, invisibly, that it is alive. 0 never does. @default 15_000 */
  heartbeatMs?: number
  /** Takes `{"message": "Hello"}` for `threads.create`, and with `thread_id` for `threads.add_user_message`. @default false */
  plainMessages?: boolean
  /** Saves what a sync action returns, and root updates of widgets that are already stored. @default false */
  persistWidgetUpdates?: boolean
  /** Sends where an attachment was uploaded to even after a message uses it. @default false */
  keepUploadDescriptor?: boolean
  /** Statuses of a thread that refuse messages, retries, answers and actions. @default ["closed"] */
  refuse?: readonly ('closed' | 'locked')[]
  /** A second stream on a thread that has one: refused with 409, or begun when the first has ended. @default "refuse" */
  busyThread?: 'refuse' | 'queue'
  /** A request repeated while its first copy still runs joins that run. @default true */
  joinRepeatedRequests?: boolean
  /** How long a run goes on after its last reader left. Stop and a closed tab look the same. @default 0 */
  detachedRunMs?: number
  /** @default the time of day */
  now?: () => Date
}
