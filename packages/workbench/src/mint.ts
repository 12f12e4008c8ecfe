import { SIGN_IN_PATH } from 'chatkit-host'
import { type Host, mintJwt, type SignedIn, secondsOf, signIn } from 'chatkit-host/development'
import {
  type JwtFault,
  jwtFaults,
  type SessionFault,
  sessionFaults,
  signSessionCookie,
  signSessionToken
} from 'fastify-better-auth-user/testing'
import { Refusal } from './command.ts'

/** What is minted, as `--kind` names it; `key-set-jwt` is the host's own, of `/api/auth/token`. */
const MINTED = ['bearer-jwt', 'bearer-session', 'session-cookie', 'key-set-jwt'] as const

export const MINT_OPTIONS = ['user', 'kind', 'ttl', 'bad'] as const

export type MintOptions = Partial<Record<(typeof MINT_OPTIONS)[number], string>>

/** Which ways each kind can be bad in. */
const FAULTS: Record<(typeof MINTED)[number], readonly string[]> = {
  'bearer-jwt': jwtFaults.filter(fault => fault !== 'key'),
  'bearer-session': [...sessionFaults.filter(fault => fault !== 'unsigned'), 'revoked'],
  'session-cookie': [...sessionFaults, 'revoked'],
  'key-set-jwt': ['tampered']
}

/** A credential and the header it is sent in. */
export interface Minted {
  credential: string
  headers: Record<string, string>
}

/**
 * A credential of somebody on a host, genuine or bad in exactly one way.
 *
 * @throws Refusal for what cannot be had, with what can.
 */
export async function mintFor(
  host: Host,
  { user = 'ada', kind = 'bearer-jwt', ttl, bad }: MintOptions
): Promise<Minted> {
  const minted = MINTED.find(one => one === kind)
  if (minted === undefined) throw new Refusal(`--kind ${kind} is not minted: choose one of ${MINTED.join(', ')}`)
  if (bad !== undefined && !FAULTS[minted].includes(bad)) {
    throw new Refusal(`--bad ${bad} cannot be had of a ${kind}: choose one of ${FAULTS[minted].join(', ')}`)
  }
  if (ttl !== undefined && minted !== 'bearer-jwt') {
    throw new Refusal('--ttl is for --kind bearer-jwt: how long the others last, the host decides')
  }
  const ttlSeconds = secondsOf(ttl ?? '15m')
  const signedIn = await signIn(host, user)
  if (minted === 'bearer-jwt')
    return bearer(await mintJwt(host, signedIn, { ttlSeconds, bad: bad as JwtFault | undefined }))
  if (minted === 'key-set-jwt') return bearer(await keySetJwt(host, signedIn, bad))
  if (bad === 'revoked') await signOut(host, signedIn)
  const fault = { bad: bad === 'revoked' ? undefined : (bad as SessionFault | undefined) }
  if (minted === 'bearer-session') return bearer(signSessionToken(signedIn.token, host.secret, fault))
  const credential = signSessionCookie(signedIn.token, host.secret, fault)
  return { credential, headers: { cookie: credential, origin: host.url } }
}

async function keySetJwt({ url }: Host, { token }: SignedIn, bad: string | undefined): Promise<string> {
  const reply = await fetch(`${url}${SIGN_IN_PATH}/token`, { headers: { authorization: `Bearer ${token}` } })
  if (!reply.ok) throw new Refusal(`${url}${SIGN_IN_PATH}/token answers ${reply.status}: it gives no JWTs.`)
  const { token: genuine } = (await reply.json()) as { token: string }
  if (bad === undefined) return genuine
  const [header, payload = '', signature] = genuine.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const other = Buffer.from(JSON.stringify({ ...claims, sub: 'somebody-else' })).toString('base64url')
  return `${header}.${other}.${signature}`
}

async function signOut({ url, secret, config }: Host, { token }: SignedIn): Promise<void> {
  const reply = await fetch(`${url}${SIGN_IN_PATH}/sign-out`, {
    method: 'POST',
    headers: {
      cookie: signSessionCookie(token, secret),
      origin: new URL(config.authUrl ?? url).origin,
      'content-type': 'application/json'
    },
    body: '{}'
  })
  if (!reply.ok) throw new Refusal(`${url}${SIGN_IN_PATH}/sign-out answers ${reply.status}.`)
}

function bearer(credential: string): Minted {
  return { credential, headers: { authorization: `Bearer ${credential}` } }
}
