/**
 * A row of Better Auth's user table: the columns every deployment has, and those the `userFields` option adds.
 * Name your own columns once, in the application:
 *
 * ```ts
 * declare module 'fastify-better-auth-user' {
 *   interface User {
 *     department: string
 *   }
 * }
 * ```
 */
export interface User {
  /** Always a string, also where the column is a number or a uuid (Better Auth's own convention). */
  id: string
  email: string
  name: string
  emailVerified: boolean
  image: string | null
  /** Comma-separated list, as Better Auth's admin plugin keeps it; `null` without that plugin. */
  role: string | null
}

/** A live row of Better Auth's session table. The token is left out on purpose: nobody downstream needs the credential. */
export interface Session {
  id: string
  userId: string
  expiresAt: Date
  /** `null` where the table has no such column. */
  createdAt: Date | null
  /** Id of the admin acting as this user, from Better Auth's admin plugin; `null` otherwise. */
  impersonatedBy: string | null
  /** From Better Auth's organization plugin; `null` otherwise. */
  activeOrganizationId: string | null
}

/** What a verified credential asserts (RFC 7519 §2). Nothing has been looked up yet. */
export type Claims =
  | { by: 'session-token'; sessionToken: string }
  | { by: 'subject'; subject: string; sessionId: string | null; email: string | null }
  | { by: 'email'; email: string }
  /**
   * SHA-256 of the key, base64url without padding, as Better Auth stores it. With `configIds`, only a key of one of
   * these configurations will do.
   */
  | { by: 'api-key'; keyHash: string; configIds?: readonly string[] | undefined }
  /**
   * SHA-256 of an opaque OAuth access token, base64url without padding. A token issued for particular resources will do
   * only if `audience` names one of them.
   */
  | { by: 'oauth-token'; tokenHash: string; audience?: readonly string[] | undefined }
  /** A verified OAuth access token that says all this itself. Its session must live if it names one, its client be enabled. */
  | { by: 'oauth-grant'; subject: string; sessionId: string | null; grant: Grant }

/** What a credential was proven to assert, and when the same text would be found to prove the same again. */
export interface Proof {
  /** Several readings of an opaque token are asked for in their order. */
  claims: readonly Claims[]
  /** Holds from this instant on, in milliseconds since the epoch. */
  from: number
  /** Holds before this instant, in milliseconds since the epoch. */
  until: number
  /** Whether the key that proved it is still in use. @default it always is */
  isCurrent?(): boolean
}

/** What an OAuth client was allowed to do for the user, from Better Auth's OAuth provider. */
export interface Grant {
  clientId: string
  scopes: readonly string[]
}

/** Claims with the rows they point at. */
export interface Identity {
  user: User
  /** `null` for credentials that live apart from any session: API keys and some OAuth tokens. */
  session: Session | null
  /** How many live sessions were seen: 1 for a session token, all of the user's for a JWT. */
  sessionCount: number
  /** `null` unless the credential is an OAuth access token. */
  grant: Grant | null
}
