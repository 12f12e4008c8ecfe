import { type BetterAuthOptions, betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { bearer } from 'better-auth/plugins/bearer'
import { SignJWT } from 'jose'
import pg from 'pg'

export interface FrontEndOptions {
  secret: string
  connectionString: string
  issuer?: string | undefined
  audience?: string | undefined
}

/**
 * What the Next.js application does in this story: it runs Better Auth on the same database, and hands out tokens under
 * the shared secret. There, `tokenFor` is a route that asks `auth.api.getSession({ headers: await headers() })`.
 */
export async function startFrontEnd({ secret, connectionString, issuer, audience }: FrontEndOptions) {
  const database = new pg.Pool({ connectionString })
  database.on('error', () => {})
  const options = {
    secret,
    database,
    baseURL: 'http://localhost:3000',
    emailAndPassword: { enabled: true },
    plugins: [bearer()],
    telemetry: { enabled: false }
  } satisfies BetterAuthOptions
  await (await getMigrations(options)).runMigrations()
  const auth = betterAuth(options)

  return {
    auth,
    database,
    close: () => database.end(),

    async signUp(name: string) {
      const email = `${name.toLowerCase()}-${Math.random().toString(36).slice(2)}@example.com`
      const body = { email, password: 'correct horse battery staple', name }
      const { token, user } = await auth.api.signUpEmail({ body })
      if (token === null) throw new Error('no session')
      return { user, session: new Headers({ authorization: `Bearer ${token}` }) }
    },

    /** A token for whoever is signed in by these headers, good for an hour and while the session lives. */
    async tokenFor(headers: Headers): Promise<string> {
      const found = await auth.api.getSession({ headers })
      if (found === null) throw new Error('nobody is signed in')
      const jwt = new SignJWT({ email: found.user.email, sid: found.session.id })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setSubject(found.user.id)
        .setIssuedAt()
        .setExpirationTime('1h')
      if (issuer !== undefined) jwt.setIssuer(issuer)
      if (audience !== undefined) jwt.setAudience(audience)
      return jwt.sign(new TextEncoder().encode(secret))
    }
  }
}
