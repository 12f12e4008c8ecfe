import { z } from 'zod'
import { id, timestamp } from '../schema.ts'

/** Who may see items of a kind: the reader, or only the server and its model. */
export type Audience = 'reader' | 'server'

/** What every item has. */
export const itemFields = { id, thread_id: z.string(), created_at: timestamp }

type ItemSchema = z.ZodType<{ id: string; thread_id: string; created_at: string; type: string }>

/**
 * A kind of item: what it looks like, who may see it, and how streamed updates change it.
 *
 * To add one, write its file and name it in `kinds.ts`; the unions of `registry.ts` follow.
 */
export interface ItemKind<Schema extends ItemSchema = ItemSchema, Update extends z.ZodType<{ type: string }> = never> {
  /** `type` on the wire. */
  readonly type: z.output<Schema>['type']
  readonly audience: Audience
  /** The whole item. Parsing fills defaults, drops nulls of optional fields, and copies. */
  readonly schema: Schema
  /** Updates such an item can take while it streams. */
  readonly updates: readonly Update[]
  /** Applies an update, in place, to an item that was begun and is not done. */
  fold?(item: z.output<Schema>, update: z.output<Update>): void
  /** Whether an item that was begun and never done is worth keeping. Without it, it is not. */
  keepUnfinished?(item: z.output<Schema>): boolean
  /** What the reader may see of it, when that is less than all. */
  toClient?(item: z.output<Schema>): z.output<Schema>
}

export function defineItemKind<Schema extends ItemSchema, Update extends z.ZodType<{ type: string }> = never>(
  kind: ItemKind<Schema, Update>
): ItemKind<Schema, Update> {
  return kind
}
