import { z } from 'zod'
import type { ItemDraft, ItemUpdate, ItemUpdateDraft, ThreadItem } from './item/registry.ts'
import { freeForm, optional } from './schema.ts'
import type { Thread } from './thread.ts'

const progressUpdate = z.object({
  type: z.literal('progress_update'),
  icon: optional(z.string()),
  text: z.string()
})
const clientEffect = z.object({
  type: z.literal('client_effect'),
  name: z.string(),
  data: freeForm.default(() => ({}))
})
const errorEvent = z.object({
  type: z.literal('error'),
  /** An open set: `custom` shows `message`, `stream.error` a text of the front end's own. */
  code: z.string().default('custom'),
  message: optional(z.string()),
  allow_retry: z.boolean().default(false)
})
const notice = z.object({
  type: z.literal('notice'),
  level: z.enum(['info', 'warning', 'danger']),
  message: z.string(),
  title: optional(z.string())
})
export const streamOptions = z.object({ allow_cancel: z.boolean() })

/** Events that say something to the reader and leave no trace. */
export const transientEvent = z.discriminatedUnion('type', [
  progressUpdate,
  clientEffect,
  errorEvent,
  notice,
  z.object({ type: z.literal('stream_options'), stream_options: streamOptions })
])

/** What a reader may do with a stream: `allow_cancel` says whether it may be stopped. */
export type StreamOptions = z.output<typeof streamOptions>
/** What a reader is told of an error. */
export type ErrorEvent = z.output<typeof errorEvent>

/** What a stream can tell its reader. */
export type StreamEvent =
  | { type: 'thread.created' | 'thread.updated'; thread: Thread }
  | { type: 'thread.item.added' | 'thread.item.done' | 'thread.item.replaced'; item: ThreadItem }
  | { type: 'thread.item.updated'; item_id: string; update: ItemUpdate }
  | { type: 'thread.item.removed'; item_id: string }
  | z.output<typeof transientEvent>

/** Every event type, as named on the wire. */
export const eventTypes = [
  'thread.created',
  'thread.updated',
  'thread.item.added',
  'thread.item.updated',
  'thread.item.done',
  'thread.item.removed',
  'thread.item.replaced',
  'stream_options',
  'progress_update',
  'client_effect',
  'error',
  'notice'
] as const satisfies readonly StreamEvent['type'][]

/** What a responder may yield. Defaults, and an item's thread and time, can be left out. */
export type ResponderEvent =
  | { type: 'thread.item.added' | 'thread.item.done' | 'thread.item.replaced'; item: ItemDraft }
  | { type: 'thread.item.updated'; item_id: string; update: ItemUpdateDraft }
  | { type: 'thread.item.removed'; item_id: string }
  | z.input<typeof transientEvent>
