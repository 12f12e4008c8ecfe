// Its types declare `request.user`; the reference must reach the emitted declarations.
/// <reference types="@fastify/jwt" preserve="true" />
import type { onRequestAsyncHookHandler } from 'fastify'
import type { AuthMode } from './options.ts'
import type { BetterAuthUser } from './plugin.ts'
import type { Grant, Session, User } from './types.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** A route hook that answers 401 to whoever is not signed in. */
    requireUser(): onRequestAsyncHookHandler
    betterAuthUser: BetterAuthUser
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
