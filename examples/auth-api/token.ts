import fastifyJwt, { type JWT } from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'

/** Whom a token is for. */
export interface Subject {
  user: { id: string; email: string }
  sessionId: string
}

/** Issues HS256 tokens under Better Auth's secret, which every service that shares it can verify. */
export async function tokenIssuer(
  app: FastifyInstance,
  secret: string,
  days: number
): Promise<(subject: Subject) => string> {
  await app.register(fastifyJwt, {
    secret,
    // A namespace of its own: `request.user` stays the row that fastify-better-auth-user finds.
    namespace: 'issuer',
    decoratorName: 'issuedToken',
    sign: { algorithm: 'HS256', expiresIn: `${days}d` }
  })
  const { issuer } = app.jwt as unknown as { issuer: JWT }
  return ({ user, sessionId }) =>
    // `sid` binds the token to one session: when that ends, so does the token.
    issuer.sign({ sub: user.id, user_id: user.id, email: user.email, sid: sessionId })
}
