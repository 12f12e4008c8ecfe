import type { IdentityRecord } from './identity-store.ts'

/** Fields of the user that hold more than a plain value: columns of the application's own. */
export function nestedFields(user: IdentityRecord['user']): string[] {
  return Object.entries(user).flatMap(([field, value]) => (isNested(value) ? [field] : []))
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

export function copyOfUser(user: IdentityRecord['user'], nested: readonly string[]): IdentityRecord['user'] {
  const copy = { ...user }
  if (nested.length > 0) copyFields(nested, user, copy)
  return copy
}

function copyFields(fields: readonly string[], from: object, to: object): void {
  for (const field of fields) {
    Object.assign(to, { [field]: copyOfValue((from as Record<string, unknown>)[field]) })
  }
}

/**
 * A copy of what a driver makes of a column: dates, bytes, and whatever JSON and arrays hold. Things of other classes, which
 * a type parser of the application's may make, are not copied but the same each time: nobody else knows how to copy them, and
 * `structuredClone` would leave their methods out, or refuse.
 */
export function copyOfValue(value: unknown): unknown {
  if (!isNested(value)) return value
  if (Array.isArray(value)) return value.map(copyOfValue)
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Date.prototype) return new Date(value as Date)
  if (prototype !== Object.prototype && prototype !== null) return value
  return Object.fromEntries(Object.entries(value as object).map(([key, one]) => [key, copyOfValue(one)]))
}

export function copyOfSession(session: NonNullable<IdentityRecord['session']>) {
  const { createdAt } = session
  return {
    ...session,
    expiresAt: new Date(session.expiresAt),
    createdAt: createdAt === null ? null : new Date(createdAt)
  }
}
