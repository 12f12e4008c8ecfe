import { cookiesOf, PASSWORD, type SignedIn } from '../fixtures/better-auth.ts'
import { authorize, registerClient, revokeToken } from '../fixtures/oauth.ts'
import { type Outbox, signHs256 } from './deployments.ts'
import type { Deployment } from './services.ts'

export type Headers = Record<string, string>

/** A credential as Better Auth gave it out, and how a client carries it. */
export interface Presented {
  credential: string
  carry(credential: string): Headers
  /** Tokens of further sessions behind it. */
  tokens?: readonly string[]
  /** For credentials whose end is not their session's. */
  expire?(): Promise<unknown>
  revoke?(): Promise<unknown>
}

export interface Occasion extends Deployment {
  /** Has just signed up; nobody else uses this account. */
  holder: SignedIn
  /** For tokens the application signs by itself: of the past. */
  expired: boolean
}

export type Issue = (occasion: Occasion) => Presented | Promise<Presented>

const bearer = (credential: string): Headers => ({ authorization: `Bearer ${credential}` })
const auth = ({ signedToken }: SignedIn): Headers => bearer(signedToken)

export const rawToken: Issue = ({ holder }) => ({ credential: holder.token, carry: bearer })

export const signedToken: Issue = ({ holder }) => ({
  credential: decodeURIComponent(holder.signedToken),
  carry: bearer
})

export const encodedToken: Issue = ({ holder }) => ({
  credential: decodeURIComponent(holder.signedToken),
  carry: credential => bearer(encodeURIComponent(credential))
})

/** The session cookie among whatever else the browser holds. */
export const cookie =
  (name = 'better-auth.session_token'): Issue =>
  ({ holder }) =>
    fromCookies(holder.cookie, name)

/** The same cookie, spelled as some clients do. */
export const respelledCookie =
  (spell: (value: string) => string): Issue =>
  ({ holder }) => ({
    credential: cookieValue(holder.cookie, 'better-auth.session_token'),
    carry: credential => ({ cookie: `a=b;better-auth.session_token=${spell(decodeURIComponent(credential))};c=d` })
  })

/** A cookie without the session cookie beside it. */
export const loneCookie =
  (name: string | RegExp): Issue =>
  ({ holder }) => {
    const [whole = ''] = pairs(holder.cookie).filter(pair => matches(pair, name))
    if (whole === '') throw new Error(`no cookie ${name} in ${holder.cookie}`)
    return {
      credential: whole.slice(whole.indexOf('=') + 1),
      carry: value => ({ cookie: `${nameOf(whole)}=${value}` })
    }
  }

/** The value of a cookie, sent as bearer token. */
export const cookieAsBearer =
  (name: string | RegExp): Issue =>
  ({ holder }) => ({ credential: decodeURIComponent(cookieValue(holder.cookie, name)), carry: bearer })

/** `GET /token`. */
export const jwt: Issue = async ({ server, holder }) => {
  const reply = await server.get('/token', auth(holder))
  if (!reply.ok) throw new Error(`/token: ${reply.status} ${await reply.text()}`)
  return { credential: ((await reply.json()) as { token: string }).token, carry: bearer }
}

/** The `set-auth-jwt` header of `GET /get-session`. */
export const headerJwt: Issue = async ({ server, holder }) => {
  const reply = await server.get('/get-session', auth(holder))
  return { credential: reply.headers.get('set-auth-jwt') ?? '', carry: bearer }
}

/** A JWT of a key that has been replaced since; `age` is how long ago its time ended, in seconds. */
export const jwtOfOldKey =
  (age: number): Issue =>
  async occasion => {
    const endKeys = (seconds: number) =>
      occasion.server.pool.query(`update jwks set "expiresAt" = now() - make_interval(secs => $1)`, [seconds])
    await endKeys(1)
    const presented = await jwt(occasion)
    await endKeys(age)
    const { credential } = await jwt(occasion)
    if (kidOf(credential) === kidOf(presented.credential)) throw new Error('the key was not replaced')
    return presented
  }

/** Signed by the application with Better Auth's secret. */
export const mintedHs256 =
  (claims: (user: SignedIn['user'], issuer: string) => Record<string, unknown>): Issue =>
  async ({ server, secret, holder, expired }) => {
    const now = Math.floor(Date.now() / 1000)
    const times = expired ? { iat: now - 7200, exp: now - 3600 } : { iat: now, exp: now + 3600 }
    return { credential: await signHs256({ ...claims(holder.user, server.origin), ...times }, secret), carry: bearer }
  }

export const notRemembered: Issue = async ({ server, holder }) => {
  const again = await server.signIn(holder.user.email, { rememberMe: false })
  if (!again.cookie.includes('dont_remember')) throw new Error('the sign-in is remembered')
  return { ...fromCookies(again.cookie, 'better-auth.session_token'), tokens: [again.token] }
}

/** The signed `dont_remember` cookie, whose signature is as good as a session's. */
export const dontRemember: Issue = async ({ server, holder }) => {
  const again = await server.signIn(holder.user.email, { rememberMe: false })
  return { credential: decodeURIComponent(cookieValue(again.cookie, 'better-auth.dont_remember')), carry: bearer }
}

export const deviceToken: Issue = async ({ server, holder }) => {
  const code = (await (await server.post('/device/code', { client_id: 'cli' })).json()) as Record<string, string>
  // Whoever opens the page claims the code, from 1.6 on.
  await server.get(`/device?user_code=${code.user_code}`, auth(holder))
  await server.post('/device/approve', { userCode: code.user_code }, auth(holder))
  const grant = {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: code.device_code,
    client_id: 'cli'
  }
  const { access_token = '' } = (await (await server.post('/device/token', grant)).json()) as Record<string, string>
  return { credential: access_token, carry: bearer, tokens: [access_token] }
}

/** The session in which an administrator acts as the holder. */
export const impersonation: Issue = async occasion => {
  const { token, reply } = await impersonate(occasion)
  return { ...fromCookies(cookiesOf(reply), 'better-auth.session_token'), tokens: [token] }
}

/** The cookie that leads the administrator back. */
export const adminSession: Issue = async occasion => {
  const { reply } = await impersonate(occasion)
  return { credential: decodeURIComponent(cookieValue(cookiesOf(reply), 'better-auth.admin_session')), carry: bearer }
}

async function impersonate({ server, holder }: Occasion) {
  const admin = await server.signUp('Grace Hopper', `admin-${holder.user.email}`)
  await server.pool.query(`update "user" set role = 'admin' where email = $1`, [admin.user.email])
  const reply = await server.post('/admin/impersonate-user', { userId: holder.user.id }, auth(admin))
  const { session } = (await reply.clone().json()) as { session: { token: string } }
  return { token: session.token, reply }
}

/** `set-auth-token` of a sign-in that still waits for its second factor. */
export const pendingToken: Issue = async occasion => {
  const { reply } = await beginTwoFactors(occasion)
  const token = reply.headers.get('set-auth-token')
  if (!token) throw new Error('no set-auth-token: nothing to try')
  return { credential: decodeURIComponent(token), carry: bearer }
}

export const pendingCookie: Issue = async occasion => {
  const { reply } = await beginTwoFactors(occasion)
  return { credential: decodeURIComponent(cookieValue(cookiesOf(reply), 'better-auth.two_factor')), carry: bearer }
}

/** The session after the second factor. */
export const twoFactorToken: Issue = async occasion => {
  const { reply, backupCode } = await beginTwoFactors(occasion)
  const body = { code: backupCode }
  const done = await occasion.server.post('/two-factor/verify-backup-code', body, { cookie: cookiesOf(reply) })
  const { token } = (await done.json()) as { token: string }
  return { credential: token, carry: bearer, tokens: [token] }
}

async function beginTwoFactors({ server, holder }: Occasion) {
  const enabled = await server.post('/two-factor/enable', { password: PASSWORD }, auth(holder))
  const { backupCodes } = (await enabled.json()) as { backupCodes: string[] }
  const reply = await server.post('/sign-in/email', { email: holder.user.email, password: PASSWORD })
  const { twoFactorRedirect } = (await reply.clone().json()) as { twoFactorRedirect?: boolean }
  if (twoFactorRedirect !== true) throw new Error('the sign-in does not wait for a second factor')
  return { reply, backupCode: backupCodes[0] ?? '' }
}

/** Sent at sign-up. */
export const verificationToken: Issue = ({ holder, outbox }) => mailed(outbox, holder.user.email)

export const changeEmailToken: Issue = ({ server, holder, outbox }) => {
  const newEmail = `new-${holder.user.email}`
  return mailed(outbox, newEmail, () => server.post('/change-email', { newEmail }, auth(holder)))
}

export const resetToken: Issue = ({ server, holder, outbox }) =>
  mailed(outbox, holder.user.email, () => server.post('/request-password-reset', { email: holder.user.email }))

export const magicLinkToken: Issue = ({ server, holder, outbox }) =>
  mailed(outbox, holder.user.email, () => server.post('/sign-in/magic-link', { email: holder.user.email }))

export const oneTimeToken: Issue = async ({ server, holder }) => {
  const reply = await server.get('/one-time-token/generate', auth(holder))
  return { credential: ((await reply.json()) as { token: string }).token, carry: bearer }
}

export const apiKey: Issue = async ({ server, holder }) => {
  const headers = { cookie: holder.cookie }
  const reply = await server.post('/api-key/create', { name: 'deploy' }, headers)
  const { id, key } = (await reply.json()) as { id: string; key: string }
  return {
    credential: key,
    carry: credential => ({ 'x-api-key': credential }),
    expire: () => server.pool.query(`update apikey set "expiresAt" = now() - interval '1 second' where id = $1`, [id]),
    revoke: () => server.post('/api-key/delete', { keyId: id }, headers)
  }
}

export const apiKeyAsBearer: Issue = async occasion => ({ ...(await apiKey(occasion)), carry: bearer })

const OAUTH_EXPIRED = `update "oauthAccessToken" set "expiresAt" = now() - interval '1 second'`

/** What the authorization code flow of a client ends with, for a resource or for none. */
export const oauthToken =
  (which: 'access_token' | 'id_token', resource?: string): Issue =>
  async ({ server, holder }) => {
    const client = await registerClient(server, holder)
    const { [which]: credential = '' } = await authorize(server, client, holder, resource)
    return {
      credential,
      carry: bearer,
      expire: () => server.pool.query(`${OAUTH_EXPIRED} where "userId" = $1`, [holder.user.id]),
      revoke: () => revokeToken(server, client, credential)
    }
  }

async function mailed(outbox: Outbox, address: string, ask?: () => Promise<unknown>): Promise<Presented> {
  if (ask !== undefined) {
    outbox.clear()
    await ask()
  }
  // Sent in the background by some lines.
  for (let wait = 0; !outbox.has(address) && wait < 100; wait++) await new Promise(resolve => setTimeout(resolve, 10))
  const credential = outbox.get(address)
  if (credential === undefined) throw new Error(`no mail for ${address}, only for ${[...outbox.keys()]}`)
  return { credential, carry: bearer }
}

function fromCookies(header: string, name: string): Presented {
  return {
    credential: cookieValue(header, name),
    carry: credential => ({
      cookie: pairs(header)
        .map(pair => (nameOf(pair) === name ? `${name}=${credential}` : pair))
        .join('; ')
    })
  }
}

function cookieValue(header: string, name: string | RegExp): string {
  const pair = pairs(header).find(pair => matches(pair, name))
  if (pair === undefined) throw new Error(`no cookie ${name} in ${header}`)
  return pair.slice(pair.indexOf('=') + 1)
}

function matches(pair: string, name: string | RegExp): boolean {
  return typeof name === 'string' ? nameOf(pair) === name : name.test(nameOf(pair))
}

function nameOf(pair: string): string {
  return pair.slice(0, pair.indexOf('='))
}

function pairs(header: string): string[] {
  return header.split('; ')
}

function kidOf(token: string): unknown {
  const [header = ''] = token.split('.')
  return (JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: unknown }).kid
}
