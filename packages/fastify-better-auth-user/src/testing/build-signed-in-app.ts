import Fastify, { type FastifyInstance } from 'fastify'
import type { BetterAuthUserOptions } from '../options.ts'
import { betterAuthUser } from '../plugin.ts'
import type { Session, User } from '../types.ts'
import { type MemoryIdentityStore, memoryIdentityStore, type SignedInSession } from './memory-identity-store.ts'
import { type CredentialFault, type MintedKind, mint } from './mint.ts'

export interface SignedInAppOptions {
  /**
   * Your application before the plugin is registered, which is done here; or a function that builds it and registers
   * the plugin with the options it is handed. @default a new Fastify
   */
  app?: FastifyInstance | ((auth: BetterAuthUserOptions) => FastifyInstance | Promise<FastifyInstance>) | undefined
  /** Options of the plugin, over those of the kit: a secret, `hs256`, and the store. */
  auth?: Omit<BetterAuthUserOptions, 'identityStore'> | undefined
  /** Who is signed in. @default Ada Lovelace */
  user?: Partial<User> | undefined
  /** The session. @default one of seven days, made just now */
  session?: Partial<Session> | undefined
}

export interface SignedInApp {
  app: FastifyInstance
  user: User
  session: SignedInSession
  /** What the user's client sends: `app.inject({ url, headers })`. */
  headers: Record<string, string>
  /** Ban the user, end the session, add others, or play an outage. */
  identityStore: MemoryIdentityStore
  secret: string
  /**
   * Headers with another credential of the user: of any kind, good or bad in one way.
   *
   * @throws TypeError for a kind the plugin was not told to accept, and for a fault that kind cannot have.
   */
  mint(kind: MintedKind, options?: { bad?: CredentialFault | undefined }): Promise<Record<string, string>>
}

const SECRET = 'a-secret-for-tests-that-protects-nothing'

/**
 * An application in which somebody is signed in, without a database and without Better Auth:
 *
 * ```ts
 * const { app, headers } = await buildSignedInApp({ user: { role: 'admin' } })
 * app.register(routes)
 * const reply = await app.inject({ url: '/me', headers })
 * ```
 *
 * The credentials are genuine, and so is their verification; only the rows are in memory.
 */
export async function buildSignedInApp(options: SignedInAppOptions = {}): Promise<SignedInApp> {
  const identityStore = memoryIdentityStore()
  const auth = { secret: SECRET, hs256: true, logAttempts: false, ...options.auth, identityStore }
  const user = identityStore.addUser(options.user)
  const session = identityStore.addSession(user.id, options.session)
  const [secret = SECRET] = [auth.secret].flat()

  const app = typeof options.app === 'function' ? await options.app(auth) : (options.app ?? Fastify())
  if (typeof options.app !== 'function') await app.register(betterAuthUser, auth)
  const about = { auth, identityStore, user, session, secret }
  return {
    app,
    user,
    session,
    headers: await mint('bearer-session', about),
    identityStore,
    secret,
    mint: (kind, { bad } = {}) => mint(kind, about, bad)
  }
}
