import { createTestDatabase } from 'embedded-database/testing'
import { SignJWT } from 'jose'
import { startFrontEnd } from '../front-end.ts'
import { buildServer, type ServerOptions } from '../server.ts'

export const secret = 'k9Xv2mQ7pL4tR8wZ1nB6cY3hF5jD0sGa'

interface Call {
  token?: string | undefined
  authorization?: string
  body?: unknown
  method?: string
  headers?: Record<string, string>
}

type Test = { teardown(end: () => Promise<void>): void }

/** The API on a real socket, beside a real Better Auth on the same database; gone with the test. */
export async function openApi(t: Test, options: Partial<ServerOptions> = {}) {
  const given = options.connectionString
  const database = given ? { connectionString: given, close: async () => {} } : await createTestDatabase()
  const { connectionString } = database
  const { issuer, audience } = options
  const frontEnd = await startFrontEnd({ secret, connectionString, issuer, audience })
  const app = await buildServer({ secret, ...options, connectionString })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(async () => {
    await app.close()
    await frontEnd.close()
    await database.close()
  })

  async function call(path: string, { token, authorization, body, method, headers }: Call = {}) {
    const credential = authorization ?? (token === undefined ? undefined : `Bearer ${token}`)
    const reply = await fetch(`${url}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...headers,
        ...(credential === undefined ? {} : { authorization: credential }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await reply.text()
    const isJson = reply.headers.get('content-type')?.startsWith('application/json') === true && text !== ''
    return { status: reply.status, headers: reply.headers, text, json: isJson ? JSON.parse(text) : null }
  }

  /** Somebody who signed up over there, with a token from there. */
  async function signUp(name: string) {
    const { user, session } = await frontEnd.signUp(name)
    return {
      id: user.id,
      email: user.email,
      session,
      token: await frontEnd.tokenFor(session),
      tasks: `/api/${user.id}/tasks`
    }
  }

  return { url, connectionString, frontEnd, call, signUp }
}

/** A token as anybody with a secret could mint it. @param options `expires: ''` for a token without an end. */
export function mint(claims: Record<string, unknown>, { key = secret, expires = '1h', alg = 'HS256' } = {}) {
  const token = new SignJWT(claims)
    .setProtectedHeader({ alg, typ: 'JWT' })
    .setIssuedAt(expires.startsWith('-') ? Math.floor(Date.now() / 1000) - 86_400 : undefined)
  if (expires !== '') token.setExpirationTime(expires)
  return token.sign(new TextEncoder().encode(key))
}
