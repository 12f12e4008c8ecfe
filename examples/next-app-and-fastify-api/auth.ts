import { type BetterAuthOptions, betterAuth } from 'better-auth'
import { jwt } from 'better-auth/plugins'
import type { Pool } from 'pg'

/** Better Auth as the Next.js app has it in `lib/auth.ts`. */
export function authOptions(baseURL: string, secret: string, database: Pool) {
  return {
    baseURL,
    secret,
    database,
    emailAndPassword: { enabled: true },
    // `sid` binds a token to its session: it ends when that one does, not with the user's last.
    plugins: [jwt({ jwt: { definePayload: ({ user, session }) => ({ email: user.email, sid: session.id }) } })]
  } satisfies BetterAuthOptions
}

export const createAuth = (...values: Parameters<typeof authOptions>) => betterAuth(authOptions(...values))
