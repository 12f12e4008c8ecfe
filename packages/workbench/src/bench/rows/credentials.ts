import { type SigningKey, signJwt, signSessionCookie, signSessionToken } from 'fastify-better-auth-user/testing'
import { sessionToken, userId } from './people.ts'

/** Which credential is presented. */
export const CREDENTIALS = ['raw', 'signed', 'cookie', 'hs256', 'key-set'] as const
export type CredentialName = (typeof CREDENTIALS)[number]

/** What the rows are protected with. */
export interface Keys {
  secret: string
  key: SigningKey
  /** Issuer and audience of the JWTs. */
  origin: string
}

/** The header in which somebody presents a credential of some kind; JWTs are good for a day. */
export async function headersFor(name: CredentialName, user: number, { secret, key, origin }: Keys) {
  const token = sessionToken(user, 1)
  const claims = { sub: userId(user), email: `user-${user}@example.com`, iss: origin, aud: origin }
  const day = { ttlSeconds: 86_400 }
  switch (name) {
    case 'raw':
      return bearer(token)
    case 'signed':
      return bearer(signSessionToken(token, secret))
    case 'cookie':
      return { cookie: signSessionCookie(token, secret) }
    case 'hs256':
      return bearer(await signJwt(claims, secret, day))
    case 'key-set':
      return bearer(await signJwt(claims, key, day))
  }
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}
