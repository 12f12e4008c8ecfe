// Nothing here runs; the assertion is that it compiles, against the built declarations as a user sees them.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import betterAuthUser, { type AuthMode, currentUser, type Session, type User } from 'fastify-better-auth-user'

declare module 'fastify-better-auth-user' {
  interface User {
    department: string
  }
}

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function yes<_T extends true>() {}

export async function application(app: FastifyInstance) {
  await app.register(betterAuthUser, {
    secret: ['new', 'old'],
    hs256: { issuer: 'https://a.example' },
    auth: 'required'
  })
  // @ts-expect-error an option nobody reads would be a hole nobody sees
  await app.register(betterAuthUser, { secrets: 'x' })
  // @ts-expect-error
  await app.register(betterAuthUser, { auth: true })

  app.get('/', { onRequest: app.requireUser(), config: { auth: 'optional' } }, handler)
  // @ts-expect-error
  app.get('/typo', { config: { auth: 'optionl' } }, handler)
}

function handler(request: FastifyRequest) {
  // Truthful on every route: null where nobody is signed in.
  yes<Equals<typeof request.user, User | null>>()
  yes<Equals<typeof request.authSession, Session | null>>()
  // @ts-expect-error
  request.user.id
  // The application's own column, declared above.
  yes<Equals<ReturnType<typeof currentUser>['department'], string>>()
  return currentUser(request).email
}

yes<Equals<AuthMode, false | 'optional' | 'required'>>()
