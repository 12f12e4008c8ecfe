import { SignJWT } from 'jose'
import { cheapPasswords } from '../fixtures/better-auth.ts'
import type { Extras, JwtSettings, Plugin, Plugins, Settings } from '../fixtures/better-auth-releases.ts'

/** What a deployment's configuration is made of. */
export interface Kit extends Omit<Plugins, 'jwt'>, Required<Extras> {
  /** The jwt plugin; its tokens are of the past where the deployment is to issue expired ones. */
  jwt(settings?: JwtSettings): Plugin
  secret: string
  outbox: Outbox
  storage: KeyValueStorage
  /** Lifetime of an access token, in seconds; negative where the deployment is to issue expired ones. */
  accessTokenExpiresIn: number
}

/** Tokens Better Auth sent by e-mail, by address. */
export type Outbox = Map<string, string>

/** Better Auth's `SecondaryStorage`, in a Map. */
export interface KeyValueStorage {
  get(key: string): string | null
  set(key: string, value: string): void
  delete(key: string): void
}

export const ISSUER = 'https://issuer.example.com'
export const AUDIENCE = 'https://api.example.com'
/** A service's name in OAuth. */
export const RESOURCE = 'https://resource.example.com'

/** Configurations of Better Auth, in words every line understands. Each has the columns bans need, and most bearer tokens. */
export const deployments = {
  plain: ({ bearer, jwt, admin, deviceAuthorization }: Kit) => ({
    plugins: [bearer(), jwt(), admin(), deviceAuthorization({ verificationUri: '/device', schema: {} })]
  }),
  https: ({ bearer, jwt, admin }) => ({ baseURL: 'https://auth.example.com', plugins: [bearer(), jwt(), admin()] }),
  'cookie prefix': ({ bearer, admin }) => ({ plugins: [bearer(), admin()], advanced: { cookiePrefix: 'my-app' } }),
  'cookie name': ({ bearer, admin }) => ({
    plugins: [bearer(), admin()],
    advanced: { cookies: { session_token: { name: 'sid' } } }
  }),
  'multi session': ({ bearer, admin, multiSession }) => ({ plugins: [bearer(), admin(), multiSession()] }),
  'signed bearer only': ({ bearer, admin }) => ({ plugins: [bearer({ requireSignature: true }), admin()] }),
  'serial ids': ({ bearer, jwt, admin }) => ({
    plugins: [bearer(), jwt(), admin()],
    advanced: { database: { generateId: 'serial' } }
  }),
  'uuid ids': ({ bearer, jwt, admin }) => ({
    plugins: [bearer(), jwt(), admin()],
    advanced: { database: { generateId: 'uuid' } }
  }),
  ES256: ({ bearer, jwt, admin }) => ({
    plugins: [bearer(), admin(), jwt({ jwks: { keyPairConfig: { alg: 'ES256' } } })]
  }),
  ES512: ({ bearer, jwt, admin }) => ({
    plugins: [bearer(), admin(), jwt({ jwks: { keyPairConfig: { alg: 'ES512' } } })]
  }),
  PS256: ({ bearer, jwt, admin }) => ({
    plugins: [bearer(), admin(), jwt({ jwks: { keyPairConfig: { alg: 'PS256' } } })]
  }),
  RS256: ({ bearer, jwt, admin }) => ({
    plugins: [bearer(), admin(), jwt({ jwks: { keyPairConfig: { alg: 'RS256' } } })]
  }),
  'session id claim': ({ bearer, jwt, admin }) => ({
    plugins: [
      bearer(),
      admin(),
      jwt({ jwt: { definePayload: ({ user, session }) => ({ email: user.email, sid: session.id }) } })
    ]
  }),
  'other issuer': ({ bearer, jwt, admin }) => ({
    plugins: [
      bearer(),
      admin(),
      jwt({ jwt: { definePayload: () => ({ iss: ISSUER, aud: ['https://other.example.com', AUDIENCE] }) } })
    ]
  }),
  'e-mail as subject': ({ bearer, jwt, admin }) => ({
    plugins: [bearer(), admin(), jwt({ jwt: { getSubject: ({ user }) => user.email } })]
  }),
  rotation: ({ bearer, jwt, admin }) => ({
    plugins: [bearer(), admin(), jwt({ jwks: { rotationInterval: 3600, gracePeriod: 86_400 } })]
  }),
  'HS256 signer': ({ bearer, jwt, admin, secret }) => ({
    plugins: [
      bearer(),
      admin(),
      jwt({
        // A signer of one's own is only taken together with a place for its keys; it has none.
        jwks: { remoteUrl: 'https://keys.example.com', keyPairConfig: { alg: 'EdDSA' } },
        jwt: { sign: claims => signHs256(claims, secret) }
      })
    ]
  }),
  'compact cookie cache': ({ bearer, jwt, admin }) => ({
    plugins: [bearer(), jwt(), admin()],
    session: { cookieCache: { enabled: true, strategy: 'compact' } }
  }),
  'JWT cookie cache': ({ bearer, jwt, admin }) => ({
    plugins: [bearer(), jwt(), admin()],
    session: { cookieCache: { enabled: true, strategy: 'jwt' } }
  }),
  'JWE cookie cache': ({ bearer, jwt, admin }) => ({
    plugins: [bearer(), jwt(), admin()],
    session: { cookieCache: { enabled: true, strategy: 'jwe' } }
  }),
  'cookie cache by key set': ({ bearer, jwt, admin }) => ({
    plugins: [bearer(), jwt({ sessionCookieCache: true }), admin()],
    session: { cookieCache: { enabled: true, strategy: 'jwt' } }
  }),
  // In this order the answer to a pending sign-in still carries set-auth-token.
  'two factors': ({ bearer, admin, twoFactor }) => ({
    plugins: [bearer(), admin(), twoFactor({ skipVerificationOnEnable: true })]
  }),
  'e-mails': ({ bearer, jwt, admin, magicLink, oneTimeToken, outbox }) => ({
    plugins: [
      bearer(),
      jwt(),
      admin(),
      oneTimeToken(),
      magicLink({ sendMagicLink: ({ email, token }) => void outbox.set(email, token) })
    ],
    emailAndPassword: {
      enabled: true,
      password: cheapPasswords,
      sendResetPassword: async ({ user, token }: Mail) => void outbox.set(user.email, token)
    },
    emailVerification: {
      sendOnSignUp: true,
      sendVerificationEmail: async ({ user, token }: Mail) => void outbox.set(user.email, token)
    },
    user: { changeEmail: { enabled: true } }
  }),
  'secondary storage': ({ bearer, jwt, admin, storage }) => ({
    plugins: [bearer(), jwt(), admin()],
    secondaryStorage: storage
  }),
  'secondary storage and database': ({ bearer, jwt, admin, storage }) => ({
    plugins: [bearer(), jwt(), admin()],
    secondaryStorage: storage,
    session: { storeSessionInDatabase: true }
  }),
  'secondary storage, rows preserved': ({ bearer, jwt, admin, storage }) => ({
    plugins: [bearer(), jwt(), admin()],
    secondaryStorage: storage,
    session: { storeSessionInDatabase: true, preserveSessionInDatabase: true }
  }),
  'API keys': ({ bearer, admin, apiKey }) => ({ plugins: [bearer(), admin(), apiKey()] }),
  'OAuth provider': ({ bearer, jwt, admin, oauthProvider, accessTokenExpiresIn }) => ({
    plugins: [
      bearer(),
      jwt({ disableSettingJwtHeader: true }),
      admin(),
      oauthProvider({ accessTokenExpiresIn, resource: RESOURCE })
    ]
  })
} satisfies Record<string, (kit: Kit) => Settings>

export type DeploymentName = keyof typeof deployments

/** Those with the tables and keys of `plain`. They share its database, which saves most of the migrations. */
export const LIKE_PLAIN: ReadonlySet<DeploymentName> = new Set<DeploymentName>([
  'https',
  'cookie prefix',
  'cookie name',
  'multi session',
  'signed bearer only',
  'session id claim',
  'other issuer',
  'e-mail as subject',
  'HS256 signer',
  'compact cookie cache',
  'JWT cookie cache',
  'JWE cookie cache',
  'cookie cache by key set',
  'e-mails'
])

interface Mail {
  user: { email: string }
  token: string
}

/** As applications do that take BETTER_AUTH_SECRET for a signing key. */
export function signHs256(claims: Record<string, unknown>, secret: string, header: object = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', ...header }).sign(new TextEncoder().encode(secret))
}
