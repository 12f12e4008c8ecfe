export type { AttachmentRequest, AttachmentStore, CreatedAttachment } from './attachment/attachment-store.ts'
export { type Collected, type CollectOptions, collectOrphans } from './attachment/collect-orphans.ts'
export { type ChatKitErrorCode, chatkitErrors, isChatKitError } from './errors.ts'
export type { Recording } from './operation/operation.ts'
export { requestSchema } from './operation/request-schema.ts'
export type { ChatKitOptions, Limits } from './options.ts'
export { chatkit, chatkit as default } from './plugin.ts'
export type { Action } from './protocol/action.ts'
export type { Attachment, FileAttachment, ImageAttachment, UploadDescriptor } from './protocol/attachment.ts'
export type { ErrorEvent, ResponderEvent, StreamEvent, StreamOptions } from './protocol/event.ts'
export { type IdFactory, type IdKind, idPrefixes, newId } from './protocol/ids.ts'
export type { OutputText } from './protocol/item/assistant-message.ts'
export {
  type AssistantMessageItem,
  type ClientToolCallItem,
  type ItemDraft,
  type ItemOf,
  type ItemUpdate,
  type ItemUpdateDraft,
  isHidden,
  itemTypes,
  parseItem,
  type StructuredInputItem,
  type ThreadItem,
  type UserMessageItem,
  type WidgetItem,
  type WorkflowItem
} from './protocol/item/registry.ts'
export type { Answer, Question } from './protocol/item/structured-input.ts'
export type { Order, Page, PageQuery } from './protocol/page.ts'
export type { Annotation, EntitySource, FileSource, Source, UrlSource } from './protocol/source.ts'
export type { Task, Workflow } from './protocol/task.ts'
export type { Thread, ThreadChanges, ThreadMetadata, ThreadStatus } from './protocol/thread.ts'
export type { InferenceOptions, UserContent, UserMessageInput } from './protocol/user-input.ts'
export type { WidgetNode, WidgetRoot } from './protocol/widget.ts'
export { echo } from './responder/echo.ts'
export { clientEffect, notice, progress } from './responder/events.ts'
export { type Ask, type TitleOptions, titleFrom, withTitle } from './responder/helpers/title.ts'
export {
  type RunningWorkflow,
  startWorkflow,
  type TaskChanges,
  type TaskDraft
} from './responder/helpers/workflow.ts'
export {
  ModelError,
  type ModelErrorMessages,
  type ModelErrorReason,
  type ModelFailure
} from './responder/model-error.ts'
export {
  type ItemHooks,
  type ModelInputOptions,
  type ModelMessage,
  type ModelPart,
  messageLength,
  modelInput,
  type Tag,
  toModelInput,
  userText
} from './responder/model-input.ts'
export type {
  ActionResponder,
  ActionTurn,
  Responder,
  ResponderEvents,
  StreamOptionsHook,
  SyncActionResponder,
  ThreadHistory,
  Turn,
  TurnLog
} from './responder/responder.ts'
export { say } from './responder/say.ts'
export { ChatKitStreamError } from './responder/stream-error.ts'
export { type ForeignThread, type ImportResult, importThreads } from './store/import-threads.ts'
export { checkChatkit, migrateChatkit } from './store/migrate.ts'
export { postgresThreadStore } from './store/postgres.ts'
export type { Database, DatabaseClient, Queryable } from './store/queryable.ts'
export type { Feedback, ItemQuery, OwnedThreads, ThreadStore } from './store/thread-store.ts'
export { TURN_CHANNEL, type TurnTrace } from './stream/trace.ts'
export {
  type ActionConfig,
  accumulateText,
  action,
  type CompleteAction,
  diffWidget,
  maxWidgetDepth,
  type StreamedText,
  type StreamWidgetOptions,
  streamWidget,
  stripNulls,
  type WidgetUpdate,
  widgetJson,
  widgetRoot,
  widgets
} from './widget/index.ts'
