import { z } from 'zod'
import { optional } from './schema.ts'

/** `asc` begins with the oldest, `desc` with the newest. */
export type Order = 'asc' | 'desc'

/** One page of a longer list; `after` names its last record, and is there only when more follow. */
export type Page<Record> = { data: Record[]; has_more: boolean; after?: string }

/** Which page: at most `limit` records, strictly beyond the record `after`, in `order` of creation. */
export type PageQuery = { limit: number; order: Order; after?: string | undefined }

/** Records on a page when the request does not say. */
export const DEFAULT_PAGE_SIZE = 20

/** The paging parameters of a request. No limit, `null` and 0 all mean the default. */
export const pageParams = z.object({
  limit: optional(z.int().min(0)),
  order: z.enum(['asc', 'desc']).default('desc'),
  after: optional(z.string())
})

/**
 * The page query of a request.
 *
 * @param maximum records a page may have; a longer one is cut, and `has_more` tells.
 */
export function pageQuery(params: z.output<typeof pageParams>, maximum: number): PageQuery {
  return { limit: Math.min(params.limit || DEFAULT_PAGE_SIZE, maximum), order: params.order, after: params.after }
}

/** The page made of records read with one too many. */
export function pageOf<Record extends { id: string }>(records: Record[], limit: number): Page<Record> {
  if (records.length <= limit) return { data: records, has_more: false }
  const data = records.slice(0, limit)
  const last = data.at(-1)
  return last ? { data, has_more: true, after: last.id } : { data, has_more: true }
}
