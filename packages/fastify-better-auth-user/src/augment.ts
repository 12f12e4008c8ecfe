// Its types declare `request.user`; the reference must reach the emitted declarations.
/// <reference types="@fastify/jwt" preserve="true" />
import type { Guard } from './guard/guard.ts'
import type { FreshSessionOptions } from './guard/require-fresh-session.ts'
import type { OrganizationOptions } from './guard/require-organization.ts'
import type { OwnUserOptions } from './guard/require-own-user.ts'
import type { AuthMode } from './options.ts'
import type { BetterAuthUser } from './plugin.ts'
import type { Grant, Session, User } from './types.ts'

declare module 'fastify' {
  interface FastifyInstance {
    betterAuthUser: BetterAuthUser
    /** A route hook that lets strangers pass, though not bad credentials. */
    optionalUser(): Guard
    /** A route hook that answers 401 to whoever is not signed in. */
    requireUser(): Guard
    /** A route hook for the user whom the path names; 403 for others. @param param route parameter. @default 'userId' */
    requireOwnUser(param?: string, options?: OwnUserOptions): Guard
    /** A route hook for users with one of these roles; 403 for others. */
    requireRole(role: string | readonly string[]): Guard
    /** A route hook for OAuth clients with all of these scopes, and for users who act for themselves; 403 for others. */
    requireScope(scope: string | readonly string[]): Guard
    /** A route hook for members of the organization the path names; 403 for others. */
    requireOrganization(options?: OrganizationOptions): Guard
    /** A route hook for users who signed in a short while ago; others are told to do so (RFC 9470). */
    requireFreshSession(options: FreshSessionOptions): Guard
    /** A route hook for users with a verified e-mail address; 403 for others. */
    requireVerifiedEmail(): Guard
    /** What the routes of this scope, added from here on, need when they say nothing in `config.auth`. */
    setAuthMode(mode: AuthMode): this
  }

  interface FastifyRequest {
    /** The session the credential points at; `null` while nobody is signed in. */
    authSession: Session | null
    /** What an OAuth client may do for the user; `null` for every other credential. */
    authGrant: Grant | null
  }

  interface FastifyContextConfig {
    /** Overrides the plugin's `auth` option for one route. */
    auth?: AuthMode
  }
}

// @fastify/jwt's types already declare `request.user`; this is the one place where its type may be said.
declare module '@fastify/jwt' {
  interface FastifyJWT {
    user: User | null
  }
}
