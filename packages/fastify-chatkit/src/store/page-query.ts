import type { Order } from '../protocol/page.ts'

/**
 * Keyset pagination: the rows beyond a position, one more than the page has, so that "more follow" needs no counting.
 *
 * @param where conditions that fix the list, such as `owner_id = $1`.
 * @param cursor SQL that gives the position of the record to start after, or null for none.
 */
export function pageSql(parts: {
  columns: string
  from: string
  where: string
  order: Order
  cursor: string | null
  limit: string
}): string {
  const beyond = parts.order === 'asc' ? '>' : '<'
  const after = parts.cursor === null ? '' : ` and position ${beyond} (${parts.cursor})`
  return `select ${parts.columns} from ${parts.from} where ${parts.where}${after}
    order by position ${parts.order} limit ${parts.limit}::bigint + 1`
}
