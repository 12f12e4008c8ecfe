import { isChatKitClientError } from './client/index.js'

/** Somebody signed in. */
export interface Person {
  name: string
  email: string
}

/** Why somebody could not be signed in or up: a sentence for them. */
export class SignInError extends Error {}

/** Who uses the page. With Better Auth mounted a cookie says so, which no script can read; without it, a token that was pasted. */
export interface Account {
  /** Who is signed in; `null` for nobody. @throws SignInError when it cannot be found out. */
  whoIsIt(): Promise<Person | null>
  /** What requests carry. */
  headers(): Record<string, string>
  signOut(): Promise<void>
}

/** An account in the Better Auth that is mounted at `path`. */
export interface BetterAuthAccount extends Account {
  signIn(email: string, password: string): Promise<Person>
  signUp(name: string, email: string, password: string): Promise<Person>
}

export function betterAuthAccount(path: string): BetterAuthAccount {
  const post = async (what: string, body: object): Promise<Record<string, unknown>> =>
    await ask(`${path}/${what}`, body)
  return {
    async whoIsIt() {
      const { user } = await ask(`${path}/get-session`, null)
      return user === undefined ? null : personOf(user)
    },
    headers: () => ({}),
    async signIn(email, password) {
      return personOf((await post('sign-in/email', { email, password })).user)
    },
    async signUp(name, email, password) {
      return personOf((await post('sign-up/email', { name, email, password })).user)
    },
    async signOut() {
      await post('sign-out', {})
    }
  }
}

const TOKEN_KEY = 'chatkit-host-token'

/** An account of which only a token is known. It is kept for this tab, and gone with it. */
export interface TokenAccount extends Account {
  /** @throws SignInError for what is no token. */
  useToken(token: string): Person
}

export function tokenAccount(): TokenAccount {
  let token = sessionStorage.getItem(TOKEN_KEY)
  const forget = () => {
    token = null
    sessionStorage.removeItem(TOKEN_KEY)
  }
  return {
    whoIsIt: async () => (token === null ? null : personOfToken(token)),
    headers() {
      const headers: Record<string, string> = {}
      if (token !== null) headers.authorization = `Bearer ${token}`
      return headers
    },
    useToken(text) {
      const pasted = text.trim().replace(/^Bearer\s+/i, '')
      // RFC 6750 §2.1; percent signs are in Better Auth's signed tokens.
      if (!/^[\w.~+/%-]+=*$/.test(pasted))
        throw new SignInError('This is no token: it has characters that no token has.')
      token = pasted
      sessionStorage.setItem(TOKEN_KEY, pasted)
      return personOfToken(pasted)
    },
    async signOut() {
      forget()
    }
  }
}

/** Whether an error says that nobody is signed in, or not any more. */
export function isSignedOut(error: unknown): boolean {
  if (!isChatKitClientError(error)) return false
  return error.status === 401 || ['FST_BAU_NO_ACTIVE_SESSION', 'FST_BAU_USER_NOT_FOUND'].includes(error.code)
}

async function ask(url: string, body: object | null): Promise<Record<string, unknown>> {
  let response: Response
  try {
    response = await fetch(url, {
      method: body === null ? 'GET' : 'POST',
      headers: { accept: 'application/json', ...(body === null ? {} : { 'content-type': 'application/json' }) },
      ...(body === null ? {} : { body: JSON.stringify(body) })
    })
  } catch (cause) {
    throw new SignInError('The server cannot be reached. Check your connection and try again.', { cause })
  }
  const text = await response.text()
  let answer: unknown = null
  try {
    answer = JSON.parse(text || 'null')
  } catch {
    // A page of a proxy's: the status says it all.
  }
  const fields = typeof answer === 'object' && answer !== null ? { ...answer } : {}
  if (response.ok) return fields
  const { message } = fields as { message?: unknown }
  if (typeof message === 'string' && message) throw new SignInError(message)
  throw new SignInError(
    response.status === 429 ? 'Too many attempts; try again in a minute.' : `The server answered ${response.status}.`
  )
}

function personOf(user: unknown): Person {
  const { name, email } = (typeof user === 'object' && user !== null ? user : {}) as Record<string, unknown>
  return { name: String(name || email || 'Signed in'), email: String(email ?? '') }
}

/** What a JWT says of its bearer, for show alone: the server believes its own verification. */
function personOfToken(token: string): Person {
  try {
    const [, claims = ''] = token.split('.')
    const bytes = Uint8Array.from(atob(claims.replaceAll('-', '+').replaceAll('_', '/')), char => char.charCodeAt(0))
    return personOf(JSON.parse(new TextDecoder().decode(bytes)))
  } catch {
    return personOf(null)
  }
}
