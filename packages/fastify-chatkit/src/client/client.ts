import type { Action } from '../protocol/action.ts'
import type { Attachment } from '../protocol/attachment.ts'
import type { StreamEvent } from '../protocol/event.ts'
import type { ThreadItem } from '../protocol/item/registry.ts'
import type { Answer } from '../protocol/item/structured-input.ts'
import type { Order, Page } from '../protocol/page.ts'
import type { Thread } from '../protocol/thread.ts'
import type { UserMessageInput } from '../protocol/user-input.ts'
import { type RequestOptions, Transport, type TransportOptions } from './transport.ts'
import { uploadAttachment } from './upload.ts'

/** What `chatkitClient` is told. */
export type ClientOptions = TransportOptions

/** Which page; without a limit, 20 records. */
export type Paging = { limit?: number; order?: Order; after?: string | undefined }

/** What the user says: text, or a message with attachments, tags, a quotation or a choice of model. */
export type Message = string | (Pick<UserMessageInput, 'content'> & Partial<UserMessageInput>)

/** The events of one turn, as they arrive. Nothing is sent before the first is asked for; leaving the loop is Stop. */
export type Events = AsyncGenerator<StreamEvent, void, undefined>

/** A file that will be attached; `attach` announces it and sends its bytes. */
export type AttachableFile = Blob & { readonly name: string }

/** One method a request of the protocol. All of them throw ChatKitClientError, or the signal's reason once it has aborted. */
export interface ChatKitClient {
  /** Begins a thread. Its first event is `thread.created`. */
  createThread(message: Message, options?: RequestOptions): Events
  addMessage(threadId: string, message: Message, options?: RequestOptions): Events
  /** Answers a message again. What came after it is removed first, without an event: see `withoutAfter`. */
  retryAfter(threadId: string, itemId: string, options?: RequestOptions): Events
  /** Gives the newest pending client tool call its result, which may be `null`. */
  addToolOutput(threadId: string, result: unknown, options?: RequestOptions): Events
  answerQuestions(
    threadId: string,
    itemId: string,
    input: { status?: 'answered' | 'skipped'; answers?: Record<string, Partial<Answer>> },
    options?: RequestOptions
  ): Events
  /** Sends what the user did to a widget, for an answer that streams. */
  sendAction(threadId: string, action: Action, itemId?: string | null, options?: RequestOptions): Events
  /** The same for an action that is answered at once. @returns the item as it is now, or `null`. */
  sendSyncAction(
    threadId: string,
    action: Action,
    itemId?: string | null,
    options?: RequestOptions
  ): Promise<ThreadItem | null>
  /** Threads, newest first unless said otherwise; without their items. */
  listThreads(paging?: Paging, options?: RequestOptions): Promise<Page<Thread>>
  /** A thread and its oldest items; those after `items.after` are for `listItems`. */
  getThread(threadId: string, options?: RequestOptions): Promise<Thread>
  /** Items of a thread, newest first unless said otherwise. */
  listItems(threadId: string, paging?: Paging, options?: RequestOptions): Promise<Page<ThreadItem>>
  renameThread(threadId: string, title: string, options?: RequestOptions): Promise<Thread>
  deleteThread(threadId: string, options?: RequestOptions): Promise<void>
  sendFeedback(
    threadId: string,
    itemIds: string[],
    kind: 'positive' | 'negative',
    options?: RequestOptions
  ): Promise<void>
  createAttachment(
    file: { name: string; size: number; mimeType: string },
    options?: RequestOptions
  ): Promise<Attachment>
  /** Sends the bytes of an attachment to where it says. No header of `getHeaders` goes there: it may be another's server. */
  uploadAttachment(attachment: Attachment, bytes: Blob, options?: Pick<RequestOptions, 'signal'>): Promise<void>
  /** Announces a file and sends it; deletes it again when that fails. */
  attach(file: AttachableFile, options?: RequestOptions): Promise<Attachment>
  deleteAttachment(attachmentId: string, options?: RequestOptions): Promise<void>
  /** Text that was spoken. `audio` is base64. */
  transcribe(audio: string, mimeType: string, options?: RequestOptions): Promise<string>
}

/**
 * A client of the ChatKit server protocol, for browsers and Node: `fetch`, streams, and nothing else.
 *
 * @throws TypeError without a `url`.
 */
export function chatkitClient(options: ClientOptions): ChatKitClient {
  const transport = new Transport(options)
  const json = async <Result>(type: string, params: object, options?: RequestOptions) =>
    (await transport.json(type, params, options)) as Result

  const client: ChatKitClient = {
    createThread: (message, options) => transport.stream('threads.create', { input: inputOf(message) }, options),
    addMessage: (thread_id, message, options) =>
      transport.stream('threads.add_user_message', { thread_id, input: inputOf(message) }, options),
    retryAfter: (thread_id, item_id, options) =>
      transport.stream('threads.retry_after_item', { thread_id, item_id }, options),
    addToolOutput: (thread_id, result, options) =>
      // JSON has no undefined, and the key must be there.
      transport.stream('threads.add_client_tool_output', { thread_id, result: result ?? null }, options),
    answerQuestions: (thread_id, item_id, input, options) =>
      transport.stream('threads.add_structured_input', { thread_id, item_id, input }, options),
    sendAction: (thread_id, action, item_id = null, options) =>
      transport.stream('threads.custom_action', { thread_id, item_id, action }, options),
    async sendSyncAction(thread_id, action, item_id = null, options) {
      const params = { thread_id, item_id, action }
      const { updated_item } = await json<{ updated_item?: ThreadItem }>('threads.sync_custom_action', params, options)
      return updated_item ?? null
    },
    listThreads: (paging = {}, options) => json('threads.list', paging, options),
    getThread: (thread_id, options) => json('threads.get_by_id', { thread_id }, options),
    listItems: (thread_id, paging = {}, options) => json('items.list', { thread_id, ...paging }, options),
    renameThread: (thread_id, title, options) => json('threads.update', { thread_id, title }, options),
    async deleteThread(thread_id, options) {
      await json('threads.delete', { thread_id }, options)
    },
    async sendFeedback(thread_id, item_ids, kind, options) {
      await json('items.feedback', { thread_id, item_ids, kind }, options)
    },
    createAttachment: ({ name, size, mimeType }, options) =>
      json('attachments.create', { name, size, mime_type: mimeType }, options),
    uploadAttachment: (attachment, bytes, { signal } = {}) =>
      uploadAttachment(transport.fetch, attachment, bytes, signal),
    async attach(file, options) {
      const { name, size, type } = file
      const attachment = await client.createAttachment(
        { name, size, mimeType: type || 'application/octet-stream' },
        options
      )
      try {
        await client.uploadAttachment(attachment, file, options)
      } catch (error) {
        // Without the signal: it may be what ended the upload. What stays behind all the same, the server collects.
        await client.deleteAttachment(attachment.id).catch(() => undefined)
        throw error
      }
      return attachment
    },
    async deleteAttachment(attachment_id, options) {
      await json('attachments.delete', { attachment_id }, options)
    },
    async transcribe(audio_base64, mime_type, options) {
      const { text } = await json<{ text: string }>('input.transcribe', { audio_base64, mime_type }, options)
      return text
    }
  }
  return client
}

function inputOf(message: Message): UserMessageInput {
  const given = typeof message === 'string' ? { content: [{ type: 'input_text' as const, text: message }] } : message
  return { attachments: [], inference_options: {}, ...given }
}
