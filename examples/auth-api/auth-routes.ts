import bcrypt from 'bcryptjs'
import type { FastifyPluginAsync } from 'fastify'
import type { Auth } from './better-auth.ts'
import type { Subject } from './token.ts'

export interface AuthRoutesOptions {
  auth: Auth
  issue: (subject: Subject) => string
  /** Sign-out changes nothing here; clients forget their token. */
  statelessSignOut: boolean
  /** Sign-ups and sign-ins from one address in a minute. */
  attemptsPerMinute: number
}

// PostgreSQL stores no NUL.
const text = { type: 'string', minLength: 1, pattern: '^[^\\u0000]*$' }
const email = { type: 'string', format: 'email', maxLength: 255 }
const signUpBody = {
  type: 'object',
  required: ['email', 'password', 'name'],
  properties: { email, password: { type: 'string', minLength: 8, maxLength: 72 }, name: { ...text, maxLength: 100 } }
}
const signInBody = {
  type: 'object',
  required: ['email', 'password'],
  properties: { email, password: { ...text, maxLength: 1000 } }
}

/** `/api/auth/signup`, `/api/auth/signin`, `/api/auth/signout`. */
export const authRoutes: FastifyPluginAsync<AuthRoutesOptions> = async (app, options) => {
  const { auth, issue, statelessSignOut, attemptsPerMinute } = options
  const guessing = { auth: false, rateLimit: { max: attemptsPerMinute, timeWindow: '1 minute' } } as const

  app.post<{ Body: { email: string; password: string; name: string } }>(
    '/signup',
    { schema: { body: signUpBody }, config: guessing },
    async ({ body }, reply) => {
      if (bcrypt.truncates(body.password)) throw badRequest('The password is longer than 72 bytes')
      const { token } = await auth.api.signUpEmail({ body })
      return reply.code(201).send(await signedIn(token))
    }
  )

  app.post<{ Body: { email: string; password: string } }>(
    '/signin',
    { schema: { body: signInBody }, config: guessing },
    async ({ body }) => signedIn((await auth.api.signInEmail({ body })).token)
  )

  app.post('/signout', { onRequest: app.requireUser() }, async request => {
    const id = request.authSession?.id
    if (!statelessSignOut && id !== undefined) {
      const { adapter } = await auth.$context
      const session = await adapter.findOne<{ token: string }>({
        model: 'session',
        where: [{ field: 'id', value: id }]
      })
      if (session !== null) await auth.api.signOut({ headers: bearerHeaders(session.token) })
    }
    return { success: true }
  })

  async function signedIn(sessionToken: string | null) {
    const found = sessionToken && (await auth.api.getSession({ headers: bearerHeaders(sessionToken) }))
    if (!found) throw new Error('Better Auth opened no session')
    const { id, email, name } = found.user
    const token = issue({ user: found.user, sessionId: found.session.id })
    return { success: true, data: { token, user: { id, email, name } } }
  }
}

function bearerHeaders(token: string): Headers {
  return new Headers({ authorization: `Bearer ${token}` })
}

function badRequest(message: string): Error {
  return Object.assign(new Error(message), { statusCode: 400, code: 'PASSWORD_TOO_LONG' })
}
