import type { Action } from '../protocol/action.ts'
import type { ResponderEvent, StreamOptions } from '../protocol/event.ts'
import type { IdKind } from '../protocol/ids.ts'
import type { ItemDraft, ThreadItem, UserMessageItem, WidgetItem } from '../protocol/item/registry.ts'
import type { Page, PageQuery } from '../protocol/page.ts'
import type { ThreadMetadata } from '../protocol/thread.ts'

/** The log of the request that began the turn. */
export interface TurnLog {
  error(details: object, message: string): void
  warn(details: object, message: string): void
  info(details: object, message: string): void
}

/** Reads the items of the turn's thread, hidden ones included. The message being answered is the newest. */
export interface ThreadHistory {
  /** The newest items, oldest of them first: the order a model wants. @default 20 */
  newest(limit?: number): Promise<ThreadItem[]>
  find(itemId: string): Promise<ThreadItem | null>
  list(query: PageQuery): Promise<Page<ThreadItem>>
}

/** One thing to be answered, and all that is known about it. */
export interface Turn<Context = unknown> {
  /**
   * Live: assign to `title`, `status`, `allowed_image_domains` or keys of `metadata`, and it is saved and told. A title that
   * somebody else gave it meanwhile is not overruled.
   */
  readonly thread: ThreadMetadata
  /** The message to answer; `null` after a client tool's output or a structured input. */
  readonly input: UserMessageItem | null
  readonly items: ThreadHistory
  /** Aborts when the reader leaves, when the stream's time is over, when the thread is deleted here, and when the server closes. */
  readonly signal: AbortSignal
  /** Whose thread it is. */
  readonly owner: string
  /** `metadata` of the request: the front end's own words, unchecked. */
  readonly metadata: Record<string, unknown>
  /** What the `context` option made of the request; `undefined` without that option. */
  readonly context: Context
  /** The request's id in the logs. */
  readonly requestId: string
  readonly log: TurnLog
  /** A new id for an item. @default a message's */
  newItemId(kind?: IdKind): string
}

/** What the user did to a widget, or what the page did with `sendCustomAction`. */
export interface ActionTurn<Context = unknown> extends Turn<Context> {
  readonly input: null
  readonly action: Action
  /** The widget it came from, if any. */
  readonly sender: WidgetItem | null
}

/** What a responder returns: an array, a generator, or anything else that can be looped over. */
export type ResponderEvents = AsyncIterable<ResponderEvent> | Iterable<ResponderEvent>

/** Answers a turn. It never writes to a store: what it yields is saved before it is shown. */
export type Responder<Context = unknown> = (turn: Turn<Context>) => ResponderEvents

/** Answers an action with events. */
export type ActionResponder<Context = unknown> = (turn: ActionTurn<Context>) => ResponderEvents

/** Answers an action at once: with the sender as it should look now, or nothing. */
export type SyncActionResponder<Context = unknown> = (
  turn: ActionTurn<Context>
) => ItemDraft | null | undefined | Promise<ItemDraft | null | undefined>

/** Says, at the start of a stream, what the reader may do with it. */
export type StreamOptionsHook<Context = unknown> = (turn: Turn<Context>) => StreamOptions | Promise<StreamOptions>
