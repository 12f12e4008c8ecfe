export type { Action } from '../protocol/action.ts'
export type { Attachment } from '../protocol/attachment.ts'
export type { StreamEvent } from '../protocol/event.ts'
export type { ItemOf, ThreadItem } from '../protocol/item/registry.ts'
export type { Page } from '../protocol/page.ts'
export type { Annotation, Source } from '../protocol/source.ts'
export type { Task, Workflow } from '../protocol/task.ts'
export type { Thread } from '../protocol/thread.ts'
export type { UserMessageInput } from '../protocol/user-input.ts'
export type { WidgetNode } from '../protocol/widget.ts'
export {
  type AttachableFile,
  type ChatKitClient,
  type ClientOptions,
  chatkitClient,
  type Events,
  type Message,
  type Paging
} from './client.ts'
export { ChatKitClientError, isChatKitClientError } from './error.ts'
export { EventDataParser } from './event-data.ts'
export type { RetryPolicy } from './retry.ts'
export {
  applyEvent,
  beginTurn,
  emptyView,
  endTurn,
  type ThreadView,
  viewOf,
  withoutAfter
} from './thread-view.ts'
export type { RequestOptions } from './transport.ts'
