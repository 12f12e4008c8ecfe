import type { EventEmitter } from 'node:events'
import type { FastifyInstance } from 'fastify'
import type { Pipeline } from './authenticate.ts'
import { bearerJwt } from './credential/bearer-jwt.ts'
import { bearerSession } from './credential/bearer-session.ts'
import type { CredentialKind } from './credential/credential.ts'
import { sessionCookie } from './credential/session-cookie.ts'
import { hs256Engine } from './hs256.ts'
import { postgresIdentityStore } from './identity/postgres.ts'
import type { Queryable } from './identity/queryable.ts'
import type { CheckedOptions } from './options.ts'

/** Options → the credential kinds and the identity store they ask for; the one file that names concrete ones. */
export async function assemble(app: FastifyInstance, options: CheckedOptions): Promise<Pipeline> {
  const { secrets, hs256, identityStore, database, unknownUserStatus } = options
  const kinds: CredentialKind[] = []
  if (hs256 !== null) kinds.push(bearerJwt(await hs256Engine(app, secrets, hs256), hs256))
  kinds.push(bearerSession(secrets))
  if (secrets.length > 0) kinds.push(sessionCookie(secrets))
  return { kinds, identityStore: identityStore ?? postgresIdentityStore(database ?? poolOf(app)), unknownUserStatus }
}

/** The pool of @fastify/postgres. It listens for no errors itself, and an idle connection that breaks would end the process. */
function poolOf(app: FastifyInstance): Queryable {
  const pool = (app as { pg?: { pool?: Queryable & Partial<EventEmitter> } }).pg?.pool
  if (pool === undefined) {
    throw new TypeError(
      'fastify-better-auth-user finds no database: register @fastify/postgres before it, or pass `database` or `identityStore`'
    )
  }
  if (pool.listenerCount?.('error') === 0) {
    pool.on?.('error', error => app.log.warn({ err: error }, 'an idle database connection was lost'))
  }
  return pool
}
