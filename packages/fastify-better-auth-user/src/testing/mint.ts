import { randomBytes } from 'node:crypto'
import type { BetterAuthUserOptions } from '../options.ts'
import type { User } from '../types.ts'
import type { MemoryIdentityStore, SignedInSession } from './memory-identity-store.ts'
import { type JwtFault, jwtFaults, signJwt } from './sign-jwt.ts'
import { type SessionFault, sessionFaults, signSessionCookie, signSessionToken } from './sign-session.ts'

/** Kinds of credentials, by the names decisions have for them. */
export type MintedKind = 'bearer-session' | 'session-cookie' | 'bearer-jwt' | 'api-key' | 'oauth-token'

/** The one thing wrong with a credential; `revoked` and `expired` ones were good once. */
export type CredentialFault = SessionFault | JwtFault | 'revoked'

/** Whose credential, and for which service. */
export interface Minting {
  auth: BetterAuthUserOptions
  identityStore: MemoryIdentityStore
  user: User
  session: SignedInSession
  secret: string
}

/** Which faults each kind can have. */
const FAULTS: Record<MintedKind, readonly string[]> = {
  'bearer-session': [...sessionFaults.filter(fault => fault !== 'unsigned'), 'expired', 'revoked'],
  'session-cookie': [...sessionFaults, 'expired', 'revoked'],
  'bearer-jwt': jwtFaults.filter(fault => fault !== 'key'),
  'api-key': ['unknown', 'expired', 'revoked'],
  'oauth-token': ['unknown', 'expired', 'revoked']
}

const DAY_MS = 24 * 60 * 60 * 1000

/** Headers with a credential of the user's. What is wrong with it is wrong from the start. */
export async function mint(kind: MintedKind, about: Minting, bad?: CredentialFault): Promise<Record<string, string>> {
  const faults = FAULTS[kind]
  if (faults === undefined) throw new TypeError(`kind: "${kind}" is none of ${Object.keys(FAULTS).join(', ')}`)
  if (bad !== undefined && !faults.includes(bad)) {
    throw new TypeError(`bad: "${bad}" is nothing that can be wrong with a ${kind}: choose one of ${faults.join(', ')}`)
  }
  switch (kind) {
    case 'bearer-session':
      return { authorization: `Bearer ${signSessionToken(sessionToken(about, bad), about.secret, signing(bad))}` }
    case 'session-cookie':
      return {
        cookie: signSessionCookie(sessionToken(about, bad), about.secret, { ...signing(bad), name: cookieName(about) })
      }
    case 'bearer-jwt':
      return { authorization: `Bearer ${await signJwt(claimsOf(about), about.secret, { bad: bad as JwtFault })}` }
    case 'api-key':
      return apiKey(about, bad)
    case 'oauth-token':
      return { authorization: `Bearer ${oauthToken(about, bad)}` }
  }
}

function signing(bad: CredentialFault | undefined): { bad?: SessionFault | undefined } {
  return { bad: sessionFaults.find(fault => fault === bad) }
}

/** A good one unless it is to have ended, in which case it is a session of its own: the user stays signed in. */
function sessionToken({ identityStore, user, session }: Minting, bad: CredentialFault | undefined): string {
  if (bad === 'expired') return identityStore.addSession(user.id, { expiresAt: new Date(Date.now() - DAY_MS) }).token
  if (bad !== 'revoked') return session.token
  const { token } = identityStore.addSession(user.id)
  identityStore.revoke(token)
  return token
}

function cookieName({ auth: { cookie } }: Minting): string {
  if (cookie === false) throw new TypeError('kind: cookies are not read, since the option `cookie` is false')
  return cookie?.name ?? `${cookie?.cookiePrefix ?? 'better-auth'}.session_token`
}

function claimsOf({ auth: { hs256 }, user }: Minting): Record<string, unknown> {
  if (hs256 === undefined || hs256 === false) {
    throw new TypeError('kind: give the option `hs256` for a bearer-jwt; those of a key set are openKeySet().sign()')
  }
  const { issuer, audience } = hs256 === true ? {} : hs256
  const [iss] = [issuer ?? []].flat()
  const [aud] = [audience ?? []].flat()
  return { sub: user.id, email: user.email, ...(iss && { iss }), ...(aud && { aud }) }
}

function apiKey({ auth, identityStore, user }: Minting, bad: CredentialFault | undefined): Record<string, string> {
  if (!auth.apiKey) throw new TypeError('kind: give the option `apiKey` for an api-key')
  const { header = 'x-api-key', configId } = auth.apiKey === true ? {} : auth.apiKey
  const key = `sk_${randomBytes(24).toString('hex')}`
  const [name = 'x-api-key'] = [header].flat()
  if (bad !== 'unknown') {
    identityStore.addApiKey(key, {
      userId: user.id,
      enabled: bad !== 'revoked',
      expiresAt: endOf(bad),
      configId: [configId ?? []].flat()[0]
    })
  }
  return { [name]: key }
}

function oauthToken({ auth, identityStore, user }: Minting, bad: CredentialFault | undefined): string {
  if (!auth.oauth) throw new TypeError('kind: give the option `oauth` for an oauth-token')
  const prefix = auth.oauth === true ? '' : (auth.oauth.prefix ?? '')
  const token = randomBytes(24).toString('hex')
  // A revoked one is deleted from the table, so that it is as unknown as one that never was.
  if (bad !== 'unknown' && bad !== 'revoked') {
    const grant = { clientId: 'a-client', scopes: ['openid'] }
    identityStore.addOAuthToken(token, { userId: user.id, expiresAt: endOf(bad), grant })
  }
  return `${prefix}${token}`
}

function endOf(bad: CredentialFault | undefined): Date {
  return new Date(Date.now() + (bad === 'expired' ? -DAY_MS : DAY_MS))
}
