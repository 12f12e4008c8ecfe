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
    Object.assign(to, { [field]: structuredClone((from as Record<string, unknown>)[field]) })
  }
}

export function copyOfSession(session: NonNullable<IdentityRecord['session']>) {
  const { createdAt } = session
  return {
    ...session,
    expiresAt: new Date(session.expiresAt),
    createdAt: createdAt === null ? null : new Date(createdAt)
  }
}
