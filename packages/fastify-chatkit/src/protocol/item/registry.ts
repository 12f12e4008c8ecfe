import type { z } from 'zod'
import type { Audience } from './item.ts'
import * as kinds from './kinds.ts'

type Kind = (typeof kinds)[keyof typeof kinds]

/** Any item of a thread, as it is stored. */
export type ThreadItem = z.output<Kind['schema']>

/** The item of one `type`. */
export type ItemOf<Type extends ThreadItem['type']> = Extract<ThreadItem, { type: Type }>

type Draft<Item> = Item extends unknown
  ? Omit<Item, 'thread_id' | 'created_at'> & {
      thread_id?: string | undefined
      created_at?: string | Date | undefined
    }
  : never

/** An item as a responder may write it: defaults, its thread and its time can be left out. */
export type ItemDraft = Draft<z.input<Kind['schema']>>

/** A change to an item that is still streaming. */
export type ItemUpdate = z.output<Kind['updates'][number]>

/** An update as a responder may write it. */
export type ItemUpdateDraft = z.input<Kind['updates'][number]>

/** What the user said. */
export type UserMessageItem = ItemOf<'user_message'>
/** What the assistant said. */
export type AssistantMessageItem = ItemOf<'assistant_message'>
/** A call of a tool in the reader’s page, waiting or answered. */
export type ClientToolCallItem = ItemOf<'client_tool_call'>
/** A piece of user interface in the thread. */
export type WidgetItem = ItemOf<'widget'>
/** Questions to the user, waiting or answered. */
export type StructuredInputItem = ItemOf<'structured_input'>
/** Steps that were taken together, as an item of the thread. */
export type WorkflowItem = ItemOf<'workflow'>

/** A kind, whichever it is: what this package asks of all of them. */
export type AnyItemKind = {
  readonly type: string
  readonly audience: Audience
  readonly schema: z.ZodType<ThreadItem>
  readonly updates: readonly z.ZodType<ItemUpdate>[]
  /** Whether its items can take an update of that type. */
  takes(updateType: string): boolean
  fold(item: ThreadItem, update: ItemUpdate): void
  keepUnfinished(item: ThreadItem): boolean
  toClient(item: ThreadItem): ThreadItem
}

// The one place where a kind's own types are given up for those of all kinds: what goes in was chosen by `type`.
type Optional = 'fold' | 'keepUnfinished' | 'toClient'
type Erased = Omit<AnyItemKind, 'takes' | Optional> & Partial<Pick<AnyItemKind, Optional>>

function erase(kind: Kind): AnyItemKind {
  const { type, audience, schema, updates, fold, keepUnfinished, toClient } = kind as unknown as Erased
  const taken = new Set(updates.map(typeOfSchema))
  return {
    type,
    audience,
    schema,
    updates,
    takes: updateType => taken.has(updateType),
    fold: fold ?? (() => undefined),
    keepUnfinished: keepUnfinished ?? (() => false),
    toClient: toClient ?? (item => item)
  }
}

function typeOfSchema(schema: z.ZodType): string {
  return (schema as unknown as z.ZodObject<{ type: z.ZodLiteral<string> }>).shape.type.value
}

const all = Object.values(kinds).map(erase)
const byType = new Map(all.map(kind => [kind.type, kind]))
const updates = new Map(all.flatMap(kind => kind.updates.map(schema => [typeOfSchema(schema), schema] as const)))

/** Types of the items only the server may see. */
export const hiddenTypes: readonly string[] = all.filter(kind => kind.audience === 'server').map(kind => kind.type)

/** Every item type and every update type, as named on the wire. */
export const itemTypes: readonly string[] = [...byType.keys()]
export const updateTypes: readonly string[] = [...updates.keys()]

/** The kind of that `type`, or `undefined`. */
export function itemKind(type: string): AnyItemKind | undefined {
  return byType.get(type)
}

/** Whether the reader must never hear of an item of that `type`. A kind nobody knows is hidden. */
export function isHidden(type: string): boolean {
  return byType.get(type)?.audience !== 'reader'
}

/**
 * A complete item from a draft: checked, defaults filled, nulls of optional fields gone. The draft is not kept.
 *
 * @throws TypeError for a type nobody knows; ZodError for an item of the wrong shape.
 */
export function parseItem(draft: unknown): ThreadItem {
  const kind = byType.get(typeOf(draft))
  if (!kind) throw new TypeError(`No thread item is of type "${typeOf(draft)}"`)
  return kind.schema.parse(draft)
}

/** The same, of a thread, whatever the draft says of that; made now, unless it says when. @throws as `parseItem` does. */
export function completeItem(draft: ItemDraft, threadId: string, now: () => Date): ThreadItem {
  return parseItem({ ...draft, created_at: draft.created_at ?? now(), thread_id: threadId })
}

/**
 * A complete update from a draft.
 *
 * @throws TypeError for a type nobody knows; ZodError for an update of the wrong shape.
 */
export function parseUpdate(draft: unknown): ItemUpdate {
  const schema = updates.get(typeOf(draft))
  if (!schema) throw new TypeError(`No item update is of type "${typeOf(draft)}"`)
  return schema.parse(draft)
}

function typeOf(value: unknown): string {
  return typeof value === 'object' && value !== null && 'type' in value ? String(value.type) : ''
}
