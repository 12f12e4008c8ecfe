import { LINES, type Line } from '../fixtures/better-auth-releases.ts'
import { RESOURCE } from './deployments.ts'
import {
  always,
  anonymous,
  type Form,
  hs256OfUser,
  invalid,
  jwtOfSession,
  jwtOfUser,
  ok,
  ownRow,
  session,
  signedSession,
  UNKNOWN,
  type Verdicts
} from './form.ts'
import * as issue from './issue.ts'

const UNSIGNED = always(invalid('the cookie is not signed'))
const NO_SESSION = always(invalid('no such session'))
const EXPIRED_ROW = invalid('the session has expired')
const OTHER_SECRET = invalid('signed with another secret')
const SINCE_1_7: readonly Line[] = ['1.7']
// The package of 1.5 and 1.6 would find the better-auth of 1.7 beside it.
const WITH_API_KEYS: readonly Line[] = ['1.4', '1.7']
const UP_TO_1_6: readonly Line[] = ['1.4', '1.5', '1.6']

const bearer: readonly Form[] = (
  [
    { name: '`token` of the answer to a sign-in or sign-up', issue: issue.rawToken, verdicts: session },
    { name: '`set-auth-token` header', issue: issue.signedToken, verdicts: signedSession },
    { name: '`set-auth-token`, percent-encoded', issue: issue.encodedToken, verdicts: signedSession },
    { name: '`access_token` of the device flow', issue: issue.deviceToken, verdicts: session },
    { name: '`token` after the second factor', on: 'two factors', issue: issue.twoFactorToken, verdicts: session },
    { name: '`token`, serial ids', on: 'serial ids', issue: issue.rawToken, verdicts: session },
    { name: '`set-auth-token`, uuid ids', on: 'uuid ids', issue: issue.signedToken, verdicts: signedSession },
    {
      name: '`set-auth-token` signed before the secret was rotated; the service has both secrets',
      by: 'two secrets',
      issue: issue.signedToken,
      verdicts: signedSession
    },
    {
      name: '`set-auth-token`, `requireSignature`',
      on: 'signed bearer only',
      by: 'signed only',
      issue: issue.signedToken,
      verdicts: signedSession
    },
    {
      name: '`token`, `requireSignature`',
      on: 'signed bearer only',
      by: 'signed only',
      issue: issue.rawToken,
      verdicts: always(invalid('the token is not signed'))
    }
  ] as const
).map(form => ({ group: 'Session token as bearer', kind: 'bearer-session', ...form }))

const cookies: readonly Form[] = (
  [
    { name: 'as the browser sends it', issue: issue.cookie(), verdicts: signedSession },
    {
      name: 'over https (`__Secure-`)',
      on: 'https',
      issue: issue.cookie('__Secure-better-auth.session_token'),
      verdicts: signedSession
    },
    {
      name: 'another `cookiePrefix`',
      on: 'cookie prefix',
      by: 'cookie prefix',
      issue: issue.cookie('my-app.session_token'),
      verdicts: signedSession
    },
    {
      name: 'another name',
      on: 'cookie name',
      by: 'cookie name',
      issue: issue.cookie('sid'),
      verdicts: signedSession
    },
    { name: 'of a sign-in with `rememberMe: false`', issue: issue.notRemembered, verdicts: signedSession },
    {
      name: 'beside the cookies of the multiSession plugin',
      on: 'multi session',
      issue: issue.cookie(),
      verdicts: signedSession
    },
    {
      name: 'of an administrator impersonating the user',
      issue: issue.impersonation,
      impersonated: true,
      verdicts: signedSession
    },
    {
      name: 'signed before the secret was rotated; the service has both secrets',
      by: 'two secrets',
      issue: issue.cookie(),
      verdicts: signedSession
    },
    { name: 'not percent-encoded', issue: issue.respelledCookie(value => value), verdicts: signedSession },
    { name: 'in double quotes', issue: issue.respelledCookie(value => `"${value}"`), verdicts: signedSession },
    {
      name: 'without its signature',
      issue: issue.respelledCookie(value => value.slice(0, value.lastIndexOf('.'))),
      verdicts: UNSIGNED
    },
    {
      name: 'signature without its `=`',
      issue: issue.respelledCookie(value => value.replace(/=$/, '')),
      verdicts: UNSIGNED
    },
    {
      name: 'percent-encoded twice',
      issue: issue.respelledCookie(value => encodeURIComponent(encodeURIComponent(value))),
      verdicts: UNSIGNED
    },
    { name: 'malformed percent-encoding', issue: issue.respelledCookie(value => `${value}%zz`), verdicts: UNSIGNED }
  ] as const
).map(form => ({ group: 'Session cookie', kind: 'session-cookie', ...form }))

const jwts: readonly Form[] = (
  [
    { name: '`GET /token`, EdDSA', issue: issue.jwt, verdicts: jwtOfUser },
    { name: '`GET /token`, EdDSA, keys by URL', by: 'keys by URL', issue: issue.jwt, verdicts: jwtOfUser },
    { name: '`set-auth-jwt` header', issue: issue.headerJwt, verdicts: jwtOfUser },
    { name: '`GET /token`, ES256', on: 'ES256', issue: issue.jwt, verdicts: jwtOfUser },
    {
      name: '`GET /token`, ES256, keys by URL',
      on: 'ES256',
      by: 'keys by URL',
      issue: issue.jwt,
      verdicts: jwtOfUser
    },
    { name: '`GET /token`, ES512', on: 'ES512', issue: issue.jwt, verdicts: jwtOfUser },
    {
      name: '`GET /token`, ES512, keys by URL',
      on: 'ES512',
      by: 'keys by URL',
      issue: issue.jwt,
      verdicts: jwtOfUser
    },
    { name: '`GET /token`, RS256', on: 'RS256', issue: issue.jwt, verdicts: jwtOfUser },
    {
      name: '`GET /token`, RS256, keys by URL',
      on: 'RS256',
      by: 'keys by URL',
      issue: issue.jwt,
      verdicts: jwtOfUser
    },
    { name: '`GET /token`, PS256', on: 'PS256', lines: SINCE_1_7, issue: issue.jwt, verdicts: jwtOfUser },
    {
      name: '`GET /token`, PS256, `rsaAlgorithm`',
      on: 'PS256',
      by: 'RSA keys are for PS256',
      issue: issue.jwt,
      verdicts: jwtOfUser
    },
    {
      name: '`GET /token`, PS256, keys by URL',
      on: 'PS256',
      by: 'keys by URL',
      issue: issue.jwt,
      verdicts: jwtOfUser
    },
    {
      name: '`GET /token`, PS256, without `rsaAlgorithm`: the table does not say what the key is for',
      on: 'PS256',
      lines: UP_TO_1_6,
      issue: issue.jwt,
      verdicts: always(invalid('signed with another algorithm than the key is for'), {
        foreign: invalid('signed with an unknown key')
      })
    },
    {
      name: '`GET /token`, serial ids',
      on: 'serial ids',
      issue: issue.jwt,
      // The other deployment's first key is number 1, too.
      verdicts: { ...jwtOfUser, foreign: invalid('the signature was refused') }
    },
    { name: '`GET /token`, uuid ids', on: 'uuid ids', issue: issue.jwt, verdicts: jwtOfUser },
    { name: '`GET /token`, issuer over https', on: 'https', issue: issue.jwt, verdicts: jwtOfUser },
    { name: '`definePayload` with `sid`', on: 'session id claim', issue: issue.jwt, verdicts: jwtOfSession },
    {
      name: '`definePayload` with `iss` and several `aud`',
      on: 'other issuer',
      by: 'other issuer',
      issue: issue.jwt,
      verdicts: jwtOfUser
    },
    {
      name: '`definePayload` with an `iss` that is not ours',
      on: 'other issuer',
      issue: issue.jwt,
      verdicts: always(invalid('from another issuer'), {
        tampered: invalid('the signature was refused'),
        foreign: invalid('signed with an unknown key')
      })
    },
    {
      name: '`getSubject` answers an e-mail address',
      on: 'e-mail as subject',
      issue: issue.jwt,
      verdicts: always(
        { status: 404, code: 'FST_BAU_USER_NOT_FOUND', reason: 'User not found with provided email' },
        { tampered: invalid('the signature was refused'), foreign: invalid('signed with an unknown key') }
      )
    },
    {
      name: 'of a rotated key, within its grace',
      on: 'rotation',
      by: 'no cooldown',
      issue: issue.jwtOfOldKey(60),
      verdicts: jwtOfUser
    },
    {
      name: 'of a rotated key, after its grace',
      on: 'rotation',
      by: 'no cooldown',
      issue: issue.jwtOfOldKey(40 * 86_400),
      verdicts: always(invalid('signed with an unknown key'))
    }
  ] as const
).map(form => ({ group: 'JWT of the jwt plugin', kind: 'bearer-jwt', ...form }))

const hs256: readonly Form[] = (
  [
    {
      name: "the jwt plugin's own signer (`jwt.sign`)",
      on: 'HS256 signer',
      by: 'HS256 only',
      issue: issue.jwt,
      verdicts: hs256OfUser
    },
    { name: '`{ sub }`', issue: issue.mintedHs256(({ id }) => ({ sub: id })), verdicts: hs256OfUser },
    {
      name: '`{ sub, email }`, serial ids',
      on: 'serial ids',
      issue: issue.mintedHs256(({ id, email }) => ({ sub: id, email })),
      verdicts: hs256OfUser
    },
    {
      name: '`{ user_id, email }`',
      issue: issue.mintedHs256(({ id, email }) => ({ user_id: id, email })),
      verdicts: hs256OfUser
    },
    {
      name: '`{ email, iss }`, with `hs256.issuer`',
      by: 'HS256 with issuer',
      issue: issue.mintedHs256(({ email }, iss) => ({ email, iss })),
      verdicts: hs256OfUser
    },
    {
      name: '`{ userId, email }`',
      issue: issue.mintedHs256(({ id, email }) => ({ userId: id, email })),
      verdicts: hs256Refused('names no user')
    },
    {
      name: '`{ id, email, role }`',
      issue: issue.mintedHs256(({ id, email }) => ({ id, email, role: 'admin' })),
      verdicts: hs256Refused('names no user')
    },
    {
      name: '`{ email }`',
      issue: issue.mintedHs256(({ email }) => ({ email })),
      verdicts: hs256Refused('names no user')
    }
  ] as const
).map(form => ({ group: 'HS256 under the shared secret', kind: 'bearer-jwt', ...form }))

const storage: readonly Form[] = (
  [
    { name: '`token`', issue: issue.rawToken, kind: 'bearer-session', verdicts: session },
    { name: 'cookie', issue: issue.cookie(), kind: 'session-cookie', verdicts: signedSession },
    { name: '`GET /token`', issue: issue.jwt, kind: 'bearer-jwt', verdicts: jwtOfUser },
    {
      name: '`token`, `storeSessionInDatabase`, read from the database',
      on: 'secondary storage and database',
      by: 'default',
      issue: issue.rawToken,
      kind: 'bearer-session',
      verdicts: session
    },
    {
      name: '`GET /token`, `storeSessionInDatabase`, read from both',
      on: 'secondary storage and database',
      by: 'secondary storage, then database',
      issue: issue.jwt,
      kind: 'bearer-jwt',
      verdicts: jwtOfUser
    },
    {
      name: '`token`, `preserveSessionInDatabase`, read from the database alone',
      on: 'secondary storage, rows preserved',
      by: 'default',
      lines: SINCE_1_7,
      issue: issue.rawToken,
      kind: 'bearer-session',
      verdicts: { ...session, 'signed out': EXPIRED_ROW, 'signed out here': EXPIRED_ROW }
    },
    {
      name: '`token`, `preserveSessionInDatabase`, read from the database alone: **sign-outs go unseen**, read the storage',
      on: 'secondary storage, rows preserved',
      by: 'default',
      lines: UP_TO_1_6,
      issue: issue.rawToken,
      kind: 'bearer-session',
      // The row looks as it did before.
      verdicts: { ...session, 'signed out': ok, 'signed out here': ok }
    },
    {
      name: '`token`, `preserveSessionInDatabase`',
      on: 'secondary storage, rows preserved',
      issue: issue.rawToken,
      kind: 'bearer-session',
      verdicts: session
    }
  ] as const
).map(form => ({
  group: 'Sessions in secondary storage',
  on: 'secondary storage',
  by: 'secondary storage',
  ...form
}))

const further: readonly Form[] = (
  [
    {
      name: 'API key in `x-api-key`, with `apiKey`',
      on: 'API keys',
      by: 'API keys',
      lines: WITH_API_KEYS,
      issue: issue.apiKey,
      kind: 'api-key',
      sessionless: true,
      verdicts: ownRow
    },
    {
      name: 'API key in `x-api-key`, without `apiKey`',
      on: 'API keys',
      by: 'HS256 only',
      lines: WITH_API_KEYS,
      issue: issue.apiKey,
      kind: null,
      verdicts: always(anonymous)
    },
    {
      name: 'API key as bearer, with `apiKey`',
      on: 'API keys',
      by: 'API keys',
      lines: WITH_API_KEYS,
      issue: issue.apiKeyAsBearer,
      kind: 'bearer-session',
      verdicts: NO_SESSION
    },
    {
      name: 'OAuth access token, opaque, with `oauth`',
      on: 'OAuth provider',
      by: 'OAuth',
      lines: SINCE_1_7,
      issue: issue.oauthToken('access_token'),
      kind: 'oauth-token',
      // Refused, it could as well have been a session token.
      verdicts: as('bearer-session', { ...ownRow, 'signed out': UNKNOWN, 'signed out here': UNKNOWN }, { genuine: ok })
    },
    {
      name: 'OAuth access token, JWT, with `oauth`',
      on: 'OAuth provider',
      by: 'OAuth',
      lines: SINCE_1_7,
      issue: issue.oauthToken('access_token', RESOURCE),
      kind: 'oauth-token',
      verdicts: {
        ...jwtOfUser,
        'signed out': UNKNOWN,
        'signed out here': UNKNOWN,
        deleted: UNKNOWN
      }
    },
    {
      name: 'OAuth access token, opaque, without `oauth`',
      on: 'OAuth provider',
      lines: SINCE_1_7,
      issue: issue.oauthToken('access_token'),
      kind: 'bearer-session',
      verdicts: NO_SESSION
    },
    {
      name: 'OAuth access token, JWT, without `oauth`',
      on: 'OAuth provider',
      lines: SINCE_1_7,
      issue: issue.oauthToken('access_token', RESOURCE),
      kind: 'bearer-jwt',
      verdicts: always(invalid('a token of another type'))
    },
    {
      name: '`id_token`, with `oauth`',
      on: 'OAuth provider',
      by: 'OAuth',
      lines: SINCE_1_7,
      issue: issue.oauthToken('id_token'),
      kind: 'bearer-jwt',
      verdicts: always(invalid('from another issuer'), {
        tampered: invalid('the signature was refused'),
        foreign: invalid('signed with an unknown key')
      })
    }
  ] satisfies Omit<Form, 'group'>[]
).map(form => ({ group: 'API keys and OAuth', ...form }))

const cacheCookies = /session_data/
const caches: readonly Form[] = (
  [
    { name: 'compact', on: 'compact cookie cache', reason: 'no such session', lines: LINES },
    { name: 'JWT', on: 'JWT cookie cache', reason: 'made for another purpose', lines: LINES },
    { name: 'JWE', on: 'JWE cookie cache', reason: 'no such session', lines: LINES },
    { name: 'JWT by key set', on: 'cookie cache by key set', reason: 'a token of another type', lines: SINCE_1_7 }
  ] as const
).flatMap(({ name, on, reason, lines }): Form[] => {
  const common = { group: 'Session cache (`session_data` cookie)', on, lines }
  return [
    {
      ...common,
      name: `${name}, beside the session cookie: only that counts`,
      issue: issue.cookie(),
      kind: 'session-cookie',
      verdicts: signedSession
    },
    {
      ...common,
      name: `${name}, alone`,
      issue: issue.loneCookie(cacheCookies),
      kind: null,
      verdicts: always(anonymous)
    },
    {
      ...common,
      name: `${name}, as bearer`,
      issue: issue.cookieAsBearer(cacheCookies),
      kind: name.startsWith('JWT') ? 'bearer-jwt' : 'bearer-session',
      verdicts: name === 'JWT' ? hs256Refused(reason) : always(invalid(reason))
    }
  ]
})

const others: readonly Form[] = (
  [
    {
      name: '`set-auth-token` of a sign-in that waits for its second factor',
      on: 'two factors',
      issue: issue.pendingToken,
      verdicts: always(invalid('no such session'), { tampered: OTHER_SECRET, foreign: OTHER_SECRET })
    },
    {
      name: '`two_factor` cookie, as bearer',
      on: 'two factors',
      issue: issue.pendingCookie,
      verdicts: always(invalid('no such session'), { tampered: OTHER_SECRET, foreign: OTHER_SECRET })
    },
    {
      name: '`dont_remember` cookie, as bearer',
      issue: issue.dontRemember,
      verdicts: always(invalid('no such session'), { tampered: OTHER_SECRET, foreign: OTHER_SECRET })
    },
    {
      name: '`admin_session` cookie, as bearer',
      issue: issue.adminSession,
      verdicts: always(invalid('no such session'), { tampered: OTHER_SECRET, foreign: OTHER_SECRET })
    },
    {
      name: '`session_token_multi-…` cookie, alone',
      on: 'multi session',
      issue: issue.loneCookie(/session_token_multi-/),
      kind: null,
      verdicts: always(anonymous)
    },
    {
      name: 'e-mail verification token',
      on: 'e-mails',
      issue: issue.verificationToken,
      kind: 'bearer-jwt',
      verdicts: hs256Refused('names no user')
    },
    {
      name: 'e-mail verification token, with `hs256.issuer`',
      on: 'e-mails',
      by: 'HS256 with issuer',
      issue: issue.verificationToken,
      kind: 'bearer-jwt',
      verdicts: hs256Refused('from another issuer')
    },
    {
      name: 'e-mail change token',
      on: 'e-mails',
      issue: issue.changeEmailToken,
      kind: 'bearer-jwt',
      verdicts: hs256Refused('made for another purpose')
    },
    { name: 'password reset token', on: 'e-mails', issue: issue.resetToken, verdicts: NO_SESSION },
    { name: 'magic link token', on: 'e-mails', issue: issue.magicLinkToken, verdicts: NO_SESSION },
    { name: 'one-time token', on: 'e-mails', issue: issue.oneTimeToken, verdicts: NO_SESSION }
  ] as const
).map(form => ({ group: 'What is no credential here', kind: 'bearer-session', ...form }))

/** Everything Better Auth gives out, and what becomes of it. The README's table is made of this, and so are the tests. */
export const forms: readonly Form[] = [
  ...bearer,
  ...cookies,
  ...jwts,
  ...hs256,
  ...storage,
  ...further,
  ...caches,
  ...others
]

/** All verdicts with a kind other than the form's, but for some. */
function as(kind: string, verdicts: Verdicts, but: Verdicts): Verdicts {
  return Object.fromEntries(
    Object.entries({ ...verdicts, ...but }).map(([condition, verdict]) => [
      condition,
      condition in but ? verdict : { ...verdict, kind }
    ])
  )
}

function hs256Refused(reason: string) {
  const broken = invalid('the signature was refused')
  return always(invalid(reason), { tampered: broken, foreign: broken })
}
