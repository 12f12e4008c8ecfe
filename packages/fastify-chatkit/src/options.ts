import type { FastifyRequest, RouteShorthandOptions } from 'fastify'
import type { AttachmentStore } from './attachment/attachment-store.ts'
import type { Recording, Settings } from './operation/operation.ts'
import type { StreamOptions } from './protocol/event.ts'
import { type IdFactory, newId } from './protocol/ids.ts'
import type { ActionTurn, ResponderEvents, SyncActionResponder, Turn } from './responder/responder.ts'
import type { Feedback, ThreadStore } from './store/thread-store.ts'

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
  /** Streams one owner may have open at a time in this process, answers that go on without a reader included. @default 10 */
  openStreams: number
  /** How long a stream may last. @default 10 minutes */
  streamMs: number
}

/** What the plugin is told. `owner`, `threadStore` and `respond` are all it needs. */
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
  owner(request: FastifyRequest): string | Promise<string>
  /** What responders get as `turn.context`. */
  context?(request: FastifyRequest): Context | Promise<Context>
  threadStore: ThreadStore
  // Methods, not properties: so that functions written for a context of their own fit here.
  /** Answers messages. */
  respond(turn: Turn<Context>): ResponderEvents
  /** Answers `threads.custom_action`. Without it such a request is refused. */
  action?(turn: ActionTurn<Context>): ResponderEvents
  /**
   * Answers `threads.sync_custom_action`. Without it such a request is refused. What it changes of `turn.thread` is not saved, as in
   * chatkit-python: there is no event by which the page would hear of it. A streaming action is for that.
   */
  syncAction?(turn: ActionTurn<Context>): ReturnType<SyncActionResponder>
  /** Hears opinions; they are stored as well. */
  feedback?(feedback: Feedback & { owner: string }): void | Promise<void>
  /** Turns sound into text. Without it such a request is refused. */
  transcribe?(recording: Recording): string | Promise<string>
  /** @default cancelling is allowed */
  streamOptions?(turn: Turn<Context>): StreamOptions | Promise<StreamOptions>
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
  now?(): Date
}

const defaultLimits: Limits = {
  bodyBytes: 4 * 1024 * 1024,
  messageLength: 100_000,
  attachments: 10,
  attachmentBytes: 100 * 1024 * 1024,
  pageSize: 10_000,
  openStreams: 10,
  streamMs: 10 * 60 * 1000
}

/** The longest time a timer of Node takes. */
const longestMs = 2 ** 31 - 1

/** Options with every default in place. */
export type ResolvedOptions = {
  path: string
  hooks: Pick<ChatKitOptions, 'onRequest' | 'preParsing' | 'preValidation' | 'preHandler' | 'config'>
  owner: ChatKitOptions['owner']
  context: (request: FastifyRequest) => unknown
  threadStore: ThreadStore
  limits: Limits
  heartbeatMs: number
  plainMessages: boolean
  busyThread: 'refuse' | 'queue'
  joinRepeatedRequests: boolean
  detachedRunMs: number
  settings: Omit<Settings, 'onThreadDeleted'>
}

/** @throws TypeError for an option that cannot be meant, at start-up. */
export function resolveOptions(options: ChatKitOptions): ResolvedOptions {
  const limits: Limits = { ...defaultLimits, ...defined(options.limits ?? {}) }
  const { path = '/chatkit', heartbeatMs = 15_000, detachedRunMs = 0, busyThread = 'refuse' } = options
  if (typeof path !== 'string' || !path.startsWith('/')) throw new TypeError('path must begin with a slash')
  for (const name of ['owner', 'respond'] as const)
    if (typeof options[name] !== 'function') throw new TypeError(`${name} must be a function`)
  if (typeof options.threadStore?.forOwner !== 'function')
    throw new TypeError('threadStore must be a thread store, such as postgresThreadStore(app.pg)')
  for (const name of [
    'action',
    'syncAction',
    'feedback',
    'transcribe',
    'streamOptions',
    'context',
    'newId',
    'now'
  ] as const)
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw new TypeError(`${name} must be a function`)
  for (const [name, value] of Object.entries(limits))
    if (
      !Number.isInteger(value) ||
      value < (name === 'attachments' ? 0 : 1) ||
      (name === 'streamMs' && value > longestMs)
    )
      throw new TypeError(`limits.${name} must be a whole number above zero`)
  for (const [name, value] of Object.entries({ heartbeatMs, detachedRunMs }))
    if (!Number.isInteger(value) || value < 0 || value > longestMs)
      throw new TypeError(`${name} must be a whole number of milliseconds, or 0`)
  if (busyThread !== 'refuse' && busyThread !== 'queue') throw new TypeError('busyThread must be "refuse" or "queue"')
  const { onRequest, preParsing, preValidation, preHandler, config } = options
  return {
    path,
    hooks: defined({ onRequest, preParsing, preValidation, preHandler, config }),
    owner: request => options.owner(request),
    context: request => options.context?.(request),
    threadStore: options.threadStore,
    limits,
    heartbeatMs,
    plainMessages: options.plainMessages ?? false,
    busyThread,
    joinRepeatedRequests: options.joinRepeatedRequests ?? true,
    detachedRunMs,
    settings: {
      respond: turn => options.respond(turn),
      action: options.action?.bind(options) ?? null,
      syncAction: options.syncAction?.bind(options) ?? null,
      streamOptions: options.streamOptions?.bind(options) ?? null,
      feedback: options.feedback?.bind(options) ?? null,
      transcribe: options.transcribe?.bind(options) ?? null,
      attachments: options.attachments ?? null,
      limits,
      refuse: [...(options.refuse ?? ['closed' as const])],
      persistWidgetUpdates: options.persistWidgetUpdates ?? false,
      keepUploadDescriptor: options.keepUploadDescriptor ?? false,
      newId: options.newId ?? newId,
      now: () => options.now?.() ?? new Date()
    }
  }
}

function defined<Any extends object>(values: Any): Any {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Any
}
