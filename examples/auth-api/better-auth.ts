import bcrypt from 'bcryptjs'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { bearer } from 'better-auth/plugins/bearer'
import type { Pool } from 'pg'

export interface AuthOptions {
  secret: string
  database: Pool
  /** How long a session lives, in days; its token lives as long. */
  days: number
  /** bcrypt's cost: 2^rounds. */
  rounds: number
}

export type Auth = ReturnType<typeof createAuth>

/** Better Auth, used through `auth.api` alone: its tables and sessions, without its own routes. */
export function createAuth({ secret, database, days, rounds }: AuthOptions) {
  return betterAuth({
    secret,
    database,
    baseURL: 'http://localhost',
    session: { expiresIn: days * 86_400 },
    emailAndPassword: {
      enabled: true,
      password: {
        hash: password => bcrypt.hash(password, rounds),
        // bcrypt reads 72 bytes: of two longer passwords that begin alike, each would open the other's account.
        verify: async ({ hash, password }) => !bcrypt.truncates(password) && bcrypt.compare(password, hash)
      }
    },
    // Lets `auth.api` be asked by session token.
    plugins: [bearer()],
    // What goes wrong reaches our error handler, which logs it.
    logger: { disabled: true },
    telemetry: { enabled: false }
  })
}

/** Makes Better Auth's tables, and what is missing in them. */
export async function migrateAuth(auth: Auth): Promise<void> {
  await (await getMigrations(auth.options)).runMigrations()
}
