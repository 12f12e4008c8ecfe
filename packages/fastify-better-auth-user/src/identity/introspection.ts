import { createHmac } from 'node:crypto'
import { messageOf } from '../errors.ts'
import { readAtMost } from './bounded-body.ts'
import type { IdentityRecord, IdentityStore } from './identity-store.ts'
import { readSessionJson } from './session-json.ts'

export interface IntrospectionIdentityStoreOptions {
  /**
   * Where Better Auth answers, as in its own option of that name: `/api/auth` is appended to a bare origin, a path is
   * taken as it is. The token travels in a header: use `https` wherever others can listen.
   */
  baseURL: string | URL
  /**
   * Better Auth's secret, for deployments with `bearer({ requireSignature: true })`, or without the `bearer()` plugin
   * (see `cookieName`): the token is sent signed. @default sent raw, which `bearer()` understands
   */
  secret?: string | undefined
  /**
   * Name of the session cookie, such as `__Secure-better-auth.session_token`: the token is sent as this cookie, which
   * works without the `bearer()` plugin. Needs `secret`. @default sent as `Authorization: Bearer`
   */
  cookieName?: string | undefined
  /** Further fields of the user to put on `request.user`. JSON has no dates: those stay ISO 8601 text. */
  userFields?: readonly string[] | undefined
  /** Gives up on an answer after this many milliseconds, its body included. @default 5000 */
  timeoutMs?: number | undefined
  /** Gives up on an answer longer than this many bytes. @default 262144 */
  maxResponseBytes?: number | undefined
  /** @default the global `fetch` */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined
  /** Milliseconds since the epoch; expiry and bans are judged by it. @default Date.now */
  now?: (() => number) | undefined
}

/**
 * Asks a remote Better Auth, for services without access to its database: one `GET /get-session` a lookup. Only session
 * tokens can be asked about; other claims are unknown here.
 *
 * Cookie caches are bypassed and the session is not prolonged; an expired one is removed by Better Auth, as after any read.
 * Redirects are not followed, so a token reaches no other place than the one named.
 *
 * "No such session" is a 200 with `null`, a 401 or 403, or the refusal of a header as too long. Everything else that is no
 * session is an outage: another status (Better Auth limits requests by address in production, 100 in 10 seconds: exempt this
 * service with `rateLimit.customRules['/get-session']`), a network error, silence, an answer of another shape or about
 * another session.
 *
 * @throws TypeError for options that cannot work.
 */
export function introspectionIdentityStore(options: IntrospectionIdentityStoreOptions): IdentityStore {
  const { userFields = [], timeoutMs = 5000, maxResponseBytes = 262_144, now = Date.now } = options
  const { fetch = globalThis.fetch } = options
  const url = sessionUrl(options.baseURL)
  const headersFor = credentialHeaders(options)

  return {
    async find(claims) {
      if (claims.by !== 'session-token' || !isHeaderSafe(claims.sessionToken)) return null
      const answer = await ask(headersFor(claims.sessionToken))
      return answer === null ? null : toRecord(answer, claims.sessionToken)
    },
    async check() {
      try {
        const answer = await ask({})
        return answer === null ? [] : [`${url} knows a session without a credential: is that Better Auth?`]
      } catch (error) {
        return [`Better Auth cannot be asked (${messageOf(error)}): start it, or correct baseURL.`]
      }
    }
  }

  async function ask(credential: Record<string, string>): Promise<unknown> {
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      const response = await fetch(url, {
        headers: { accept: 'application/json', 'cache-control': 'no-store', ...credential },
        redirect: 'manual',
        signal
      })
      if (response.status === 401 || response.status === 403 || isTooLong(response.status, credential)) {
        await response.body?.cancel()
        return null
      }
      if (response.status !== 200) {
        await response.body?.cancel()
        throw new Error(`status ${response.status}${cureFor(response.status)}`)
      }
      return JSON.parse(await readAtMost(maxResponseBytes, response)) as unknown
    } catch (error) {
      const why = signal.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error)
      throw new Error(`${url}: ${why}`, { cause: error })
    }
  }

  function toRecord(answer: unknown, token: string): IdentityRecord | null {
    const found = readSessionJson(answer, { userFields, now: now() })
    if (found?.user == null) throw new Error(`${url}: the answer is no session with its user`)
    // A cache in between may confuse callers: better nobody is served than somebody as another.
    if (found.token !== null && found.token !== token) throw new Error(`${url}: the answer is about another session`)
    const { user, session, banned } = found
    return session.expiresAt.getTime() < now() ? null : { user, session, sessionCount: 1, banned }
  }
}

function sessionUrl(baseURL: string | URL): string {
  let url: URL
  try {
    url = new URL(baseURL)
  } catch {
    throw new TypeError('baseURL: expected an address such as https://auth.example.com/api/auth')
  }
  if (!/^https?:$/.test(url.protocol)) throw new TypeError('baseURL: expected http or https')
  if (url.username !== '' || url.password !== '') throw new TypeError('baseURL: must not hold a user name or password')
  if (url.search !== '' || url.hash !== '') throw new TypeError('baseURL: must not hold a query or fragment')
  const path = url.pathname.replace(/\/+$/, '')
  return `${url.origin}${path === '' ? '/api/auth' : path}/get-session?disableCookieCache=true&disableRefresh=true`
}

function credentialHeaders({ secret, cookieName }: IntrospectionIdentityStoreOptions) {
  if (secret === '') throw new TypeError('secret: empty; leave the option out instead')
  const sign = (token: string) =>
    secret === undefined ? token : `${token}.${createHmac('sha256', secret).update(token).digest('base64')}`
  if (cookieName === undefined) return (token: string) => ({ authorization: `Bearer ${sign(token)}` })
  if (secret === undefined) throw new TypeError('cookieName: needs the secret, as session cookies are signed')
  // RFC 6265 §4.1.1: a cookie-name is a token of RFC 9110.
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(cookieName)) throw new TypeError('cookieName: not a cookie name')
  return (token: string) => ({ cookie: `${cookieName}=${encodeURIComponent(sign(token))}` })
}

/** Whether the text can be sent at all: what no header can hold, Better Auth has never issued. */
function isHeaderSafe(token: string): boolean {
  return /^[\x21-\x7e]+$/.test(token)
}

/** How long, in characters, a header line may be that every server takes. Tokens of Better Auth's have 32. */
const COMMON_LIMIT = 4096

/** Whether the request was refused for what a stranger sends; servers and proxies say so in different ways (RFC 6585 §5). */
function isTooLong(status: number, credential: Record<string, string>): boolean {
  return [400, 413, 431].includes(status) && Object.values(credential).some(({ length }) => length > COMMON_LIMIT)
}

function cureFor(status: number): string {
  if (status === 429) return ": exempt this service from Better Auth's rateLimit"
  if (status === 404) return ': is that the base path of Better Auth?'
  return status >= 300 && status < 400 ? ': redirects are not followed, name the final address as baseURL' : ''
}

function reasonOf(error: unknown): string {
  return error instanceof SyntaxError ? 'the answer is not JSON' : messageOf(error)
}
