import { createTestDatabase } from 'embedded-database/testing'
import { SignJWT } from 'jose'
import pg from 'pg'
import { buildServer, type ServerOptions } from '../server.ts'

export const secret = 'k9Xv2mQ7pL4tR8wZ1nB6cY3hF5jD0sGa'
export const password = 'correct horse battery staple'

export interface SignedUp {
  token: string
  user: { id: string; email: string; name: string }
}

interface Call {
  token?: string | undefined
  authorization?: string
  body?: unknown
  method?: string
}

type Test = { teardown(end: () => Promise<void>): void }

/** The API on a real socket and a database of its own; gone with the test. */
export async function openApi(t: Test, options: Partial<ServerOptions> = {}) {
  const database = options.connectionString ? null : await createTestDatabase()
  const connectionString = options.connectionString ?? database?.connectionString ?? ''
  // The cheapest bcrypt: these tests sign up many people.
  const app = await buildServer({ secret, connectionString, rounds: 4, attemptsPerMinute: 1000, ...options })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const pool = new pg.Pool({ connectionString })
  pool.on('error', () => {})
  t.teardown(async () => {
    await pool.end()
    await app.close()
    await database?.close()
  })

  async function call(path: string, { token, authorization, body, method = body ? 'POST' : 'GET' }: Call = {}) {
    const credential = authorization ?? (token === undefined ? undefined : `Bearer ${token}`)
    const reply = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(credential === undefined ? {} : { authorization: credential }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await reply.text()
    return { status: reply.status, headers: reply.headers, text, json: text === '' ? null : JSON.parse(text) }
  }

  async function signUp(name: string): Promise<SignedUp> {
    const body = { email: `${name.toLowerCase()}@example.com`, password, name }
    const { status, text, json } = await call('/api/auth/signup', { body })
    if (status !== 201) throw new Error(`sign-up answered ${status}: ${text}`)
    return json.data
  }

  return { url, connectionString, pool, call, signUp }
}

/** A token as another service with a secret would mint it. */
export function mint(claims: Record<string, unknown>, { key = secret, expires = '1h', alg = 'HS256' } = {}) {
  return new SignJWT(claims)
    .setProtectedHeader({ alg, typ: 'JWT' })
    .setIssuedAt(expires.startsWith('-') ? Math.floor(Date.now() / 1000) - 86_400 : undefined)
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(key))
}

/** What a token says, unverified. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

export function headerOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
}
