import type { Session, User } from '../types.ts'
import { copyOfValue } from './identity-copy.ts'
import type { IdentityRecord } from './identity-store.ts'
import { EXTRA_PREFIX } from './session-queries.ts'

/** One row of the identity queries, by their column aliases. */
export interface IdentityRow {
  user_id: string
  email: string
  name: string | null
  email_verified: boolean | null
  image: string | null
  role: string | null
  banned: boolean
  session_id: string | null
  session_user_id: string | null
  /** Seconds since the epoch. */
  expires_at: number | null
  created_at: number | null
  impersonated_by: string | null
  active_organization_id: string | null
  session_count: number
  /** Seconds until the first of the sessions counted expires; only where it was asked for. */
  valid_for?: number | null
  /** The application's own fields. */
  [extra: `${typeof EXTRA_PREFIX}${string}`]: unknown
}

/** Database row → what the rest of the package works with. */
export function toIdentityRecord(row: IdentityRow, extra: readonly string[]): IdentityRecord {
  const record = {
    user: toUser(row, extra),
    session: toSession(row),
    sessionCount: row.session_count,
    banned: row.banned
  }
  const validFor = row.valid_for ?? null
  return validFor === null ? record : { ...record, validForMs: validFor * 1000 }
}

function toUser(row: IdentityRow, extra: readonly string[]): User {
  const user: User = {
    id: row.user_id,
    email: row.email,
    name: row.name ?? '',
    emailVerified: row.email_verified ?? false,
    image: row.image,
    role: row.role
  }
  // Whoever asked the same in the same turn is given the same row.
  for (const field of extra) Object.assign(user, { [field]: copyOfValue(row[`${EXTRA_PREFIX}${field}`]) })
  return user
}

function toSession(row: IdentityRow): Session | null {
  if (row.session_id === null || row.session_user_id === null || row.expires_at === null) return null
  return {
    id: row.session_id,
    userId: row.session_user_id,
    expiresAt: toDate(row.expires_at),
    createdAt: row.created_at === null ? null : toDate(row.created_at),
    impersonatedBy: row.impersonated_by,
    activeOrganizationId: row.active_organization_id
  }
}

/** Seconds since the epoch → `Date`; Postgres' `infinity` becomes the last instant a `Date` can hold. */
function toDate(seconds: number): Date {
  return new Date(Math.min(seconds * 1000, 8.64e15))
}
