import { betterAuth } from 'better-auth'
import { signSessionCookie } from 'fastify-better-auth-user/testing'
import type pg from 'pg'
import { ORIGIN, SECRET } from './auth-variants.ts'
import type { CredentialName } from './rows/credentials.ts'
import { sessionToken, userId } from './rows/people.ts'

/** One way to lose one's standing. */
export interface Sort {
  name: string
  /** What is presented: those credentials for which it is the end. */
  credentials: readonly CredentialName[]
  /** Before the caches know the user. */
  prepare?(user: number): Promise<unknown>
  /** @returns when it takes effect, by `performance.now()`: when it was sent, or for what comes by itself, its instant. */
  revoke(user: number): Promise<number>
}

const SESSION: readonly CredentialName[] = ['raw', 'signed', 'cookie']
/** These name the user, who has further sessions; only what happens to the user ends them. */
const USER: readonly CredentialName[] = [...SESSION, 'hs256', 'key-set']
/** How long the sessions last that expire by themselves. */
const SHORT_MS = 100

/** @param pool stands for whoever writes: an admin, a job, Better Auth in another process. */
export function revocationSorts(pool: pg.Pool): readonly Sort[] {
  const provider = betterAuth({
    secret: SECRET,
    baseURL: ORIGIN,
    database: pool,
    telemetry: { enabled: false },
    logger: { disabled: true }
  })
  const instants = new Map<number, number>()
  const statement = (text: string, value: (user: number) => string) => async (user: number) => {
    const sent = performance.now()
    const { rowCount } = await pool.query(text, [value(user)])
    if (rowCount !== 1) throw new Error(`Nothing was revoked by ${text}`)
    return sent
  }
  const token = (user: number) => sessionToken(user, 1)
  return [
    { name: 'session deleted', credentials: SESSION, revoke: statement('delete from session where token = $1', token) },
    {
      name: 'signed out by Better Auth',
      credentials: SESSION,
      async revoke(user) {
        const sent = performance.now()
        const headers = new Headers({ cookie: signSessionCookie(token(user), SECRET), origin: ORIGIN })
        await provider.api.signOut({ headers })
        return sent
      }
    },
    {
      name: 'session ended early',
      credentials: SESSION,
      revoke: statement(`update session set "expiresAt" = now() - interval '1 second' where token = $1`, token)
    },
    {
      name: 'user banned',
      credentials: USER,
      revoke: statement('update "user" set banned = true where id = $1', userId)
    },
    { name: 'user deleted', credentials: USER, revoke: statement('delete from "user" where id = $1', userId) },
    {
      name: 'session expired',
      credentials: SESSION,
      async prepare(user) {
        const { rows } = await pool.query<{ instant: string }>(
          `update session set "expiresAt" = date_trunc('milliseconds', clock_timestamp()) + $2 * interval '1 millisecond'
           where token = $1 returning extract(epoch from "expiresAt") * 1000 as instant`,
          [token(user), SHORT_MS]
        )
        // The database runs on this machine, so its clock is ours.
        instants.set(user, Number(rows[0]?.instant) - performance.timeOrigin)
      },
      revoke: async user => instants.get(user) ?? Number.NaN
    }
  ]
}
