import { createHash } from 'node:crypto'
import type { Session, User } from '../types.ts'

/** A session and its user as Better Auth writes them in JSON: into its secondary storage, and as the answer of `/get-session`. */
export interface SessionJson {
  session: Session
  /** `null` where the writer left it out. */
  token: string | null
  /** The user as copied when the JSON was written; `null` where there is none. */
  user: User | null
  /** Banned at the given instant, by that copy: a ban whose end has passed no longer counts. */
  banned: boolean
}

export interface ReadSessionOptions {
  /** Further fields to take over onto the user, `null` where absent. JSON has no dates: those stay ISO 8601 text. */
  userFields: readonly string[]
  /** The instant bans are judged at, in milliseconds since the epoch. */
  now: number
}

/**
 * Reads what was parsed from JSON, trusting none of it.
 *
 * @returns `null` when this is no session, or its user is another than the session's; whether it still lives is not judged.
 */
export function readSessionJson(value: unknown, { userFields, now }: ReadSessionOptions): SessionJson | null {
  if (!isObject(value) || !isObject(value.session)) return null
  const token = textOrNull(value.session.token)
  const session = toSession(value.session, token)
  if (session === null) return null
  if (!isObject(value.user)) return { session, token, user: null, banned: false }
  const user = toUser(value.user, userFields)
  if (user === null || user.id !== session.userId) return null
  return { session, token, user, banned: isBanned(value.user, now) }
}

function toSession(json: Record<string, unknown>, token: string | null): Session | null {
  const id = toId(json.id ?? standInId(token))
  const userId = toId(json.userId)
  const expiresAt = toDate(json.expiresAt)
  if (id === null || userId === null || expiresAt === null) return null
  return {
    id,
    userId,
    expiresAt,
    createdAt: toDate(json.createdAt),
    impersonatedBy: toId(json.impersonatedBy),
    activeOrganizationId: toId(json.activeOrganizationId)
  }
}

function toUser(json: Record<string, unknown>, userFields: readonly string[]): User | null {
  const id = toId(json.id)
  if (id === null || typeof json.email !== 'string') return null
  const user: User = {
    id,
    email: json.email,
    name: textOrNull(json.name) ?? '',
    emailVerified: json.emailVerified === true,
    image: textOrNull(json.image),
    role: textOrNull(json.role)
  }
  for (const field of userFields) Object.assign(user, { [field]: Object.hasOwn(json, field) ? json[field] : null })
  return user
}

/** Better Auth up to 1.5 gives sessions no id when it keeps them in secondary storage only: the same one for a token each time. */
function standInId(token: string | null): string | null {
  return token === null ? null : createHash('sha256').update(`session id\0${token}`).digest('base64url').slice(0, 32)
}

// Truthiness as in Better Auth's own check; an end that cannot be read is no end.
function isBanned({ banned, banExpires }: Record<string, unknown>, now: number): boolean {
  const end = toDate(banExpires)
  return Boolean(banned) && (end === null || end.getTime() > now)
}

/** Numbers where ids are serial and the writer was not Better Auth itself. */
function toId(value: unknown): string | null {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
  return typeof value === 'string' && value !== '' ? value : null
}

function toDate(value: unknown): Date | null {
  if (typeof value !== 'string' && typeof value !== 'number' && !(value instanceof Date)) return null
  const date = new Date(value)
  return Number.isNaN(date.getTime()) ? null : date
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
