import type { SignedIn } from '../fixtures/better-auth.ts'
import { invalid, ok, type Verdict } from './form.ts'

/** Two genuine credentials of two users, and what a client might do with them. */
export interface Two {
  ada: SignedIn
  /** Of Ada. */
  jwt: string
  grace: SignedIn
}

/** More than one credential in a request. */
export interface Pair {
  name: string
  /** Names and values in turn, as sent. */
  headers(two: Two): string[]
  verdict: Verdict & { kind: string }
  /** Whom the service sees. */
  user?: keyof Omit<Two, 'jwt'>
}

const NAME = 'better-auth.session_token'
const bearer = (token: string) => ['Authorization', `Bearer ${token}`]
const cookie = (...pairs: [name: string, value: string][]) => [
  'Cookie',
  pairs.map(([name, value]) => `${name}=${value}`).join('; ')
]
const signed = ({ signedToken }: SignedIn) => encodeURIComponent(decodeURIComponent(signedToken))
/** Under the signature of another token. */
const forged = ({ ada, grace }: Two) => `${grace.token}${decodeURIComponent(ada.signedToken).slice(ada.token.length)}`

const OTHER_SIGNATURE = invalid('signed with another secret')
const MALFORMED: Verdict = {
  status: 400,
  code: 'FST_BAU_CREDENTIAL_MALFORMED',
  reason: 'Malformed credential: more than one Authorization header'
}

export const pairs: readonly Pair[] = [
  {
    name: "Ada's token as bearer, Grace's cookie",
    headers: ({ ada, grace }) => [...bearer(ada.token), ...cookie([NAME, signed(grace)])],
    verdict: { ...ok, kind: 'bearer-session' },
    user: 'ada'
  },
  {
    name: "Grace's cookie, then Ada's `set-auth-token` as bearer",
    headers: ({ ada, grace }) => [...cookie([NAME, signed(grace)]), ...bearer(decodeURIComponent(ada.signedToken))],
    verdict: { ...ok, kind: 'bearer-session' },
    user: 'ada'
  },
  {
    name: "Ada's JWT, Grace's cookie",
    headers: ({ jwt, grace }) => [...bearer(jwt), ...cookie([NAME, signed(grace)])],
    verdict: { ...ok, kind: 'bearer-jwt' },
    user: 'ada'
  },
  {
    name: "an unknown token as bearer, Grace's cookie",
    headers: ({ grace }) => [...bearer('0fOyRVonMqRyD20kP9QiCtTW5hNaYbXe'), ...cookie([NAME, signed(grace)])],
    verdict: { ...invalid('no such session'), kind: 'bearer-session' }
  },
  {
    name: "a forged `set-auth-token` as bearer, Grace's cookie",
    headers: two => [...bearer(forged(two)), ...cookie([NAME, signed(two.grace)])],
    verdict: { ...OTHER_SIGNATURE, kind: 'bearer-session' }
  },
  {
    name: "a forged JWT, Grace's cookie",
    headers: ({ jwt, grace }) => [
      ...bearer(`${jwt.slice(0, jwt.lastIndexOf('.'))}.${Buffer.alloc(64, 1).toString('base64url')}`),
      ...cookie([NAME, signed(grace)])
    ],
    verdict: { ...invalid('the signature was refused'), kind: 'bearer-jwt' }
  },
  {
    name: "`Authorization: Basic`, Grace's cookie",
    headers: ({ grace }) => ['Authorization', 'Basic YWRhOnB3', ...cookie([NAME, signed(grace)])],
    verdict: { ...ok, kind: 'session-cookie' },
    user: 'grace'
  },
  {
    name: "`Authorization: Bearer` without a token, Grace's cookie",
    headers: ({ grace }) => ['Authorization', 'Bearer', ...cookie([NAME, signed(grace)])],
    verdict: {
      ...MALFORMED,
      reason: 'Malformed credential: Authorization: Bearer needs exactly one token',
      kind: 'bearer-jwt'
    }
  },
  {
    name: 'two `Authorization: Bearer` headers',
    headers: ({ ada, grace }) => [...bearer(ada.token), ...bearer(grace.token)],
    verdict: { ...MALFORMED, kind: 'bearer-jwt' }
  },
  {
    name: 'the same `Authorization: Bearer` header twice',
    headers: ({ ada }) => [...bearer(ada.token), ...bearer(ada.token)],
    verdict: { ...MALFORMED, kind: 'bearer-jwt' }
  },
  {
    name: "`Authorization: Basic`, then Ada's bearer",
    headers: ({ ada }) => ['Authorization', 'Basic YWRhOnB3', ...bearer(ada.token)],
    verdict: { ...MALFORMED, kind: 'bearer-jwt' }
  },
  {
    name: "Ada's cookie, then Grace's of the same name",
    headers: ({ ada, grace }) => cookie([NAME, signed(ada)], [NAME, signed(grace)]),
    verdict: { ...ok, kind: 'session-cookie' },
    user: 'ada'
  },
  {
    name: "Ada's cookie, then Grace's in a second `Cookie` header",
    headers: ({ ada, grace }) => [...cookie([NAME, signed(ada)]), ...cookie([NAME, signed(grace)])],
    verdict: { ...ok, kind: 'session-cookie' },
    user: 'ada'
  },
  {
    name: "a forged cookie, then Ada's of the same name",
    headers: two => cookie([NAME, encodeURIComponent(forged(two))], [NAME, signed(two.ada)]),
    verdict: { ...OTHER_SIGNATURE, kind: 'session-cookie' }
  },
  {
    name: "Grace's cookie, then Ada's under the `__Secure-` name",
    headers: ({ ada, grace }) => cookie([NAME, signed(grace)], [`__Secure-${NAME}`, signed(ada)]),
    verdict: { ...ok, kind: 'session-cookie' },
    user: 'ada'
  },
  {
    name: "Ada's cookie, then a forged one under the `__Secure-` name",
    headers: two => cookie([NAME, signed(two.ada)], [`__Secure-${NAME}`, encodeURIComponent(forged(two))]),
    verdict: { ...OTHER_SIGNATURE, kind: 'session-cookie' }
  },
  {
    name: "Grace's `session_token_multi-…` cookie, then Ada's cookie",
    headers: ({ ada, grace }) =>
      cookie([`${NAME}_multi-${grace.token.toLowerCase()}`, signed(grace)], [NAME, signed(ada)]),
    verdict: { ...ok, kind: 'session-cookie' },
    user: 'ada'
  },
  {
    name: "Ada's cookie under the name with a dash",
    headers: ({ ada }) => cookie(['better-auth-session_token', signed(ada)]),
    verdict: { ...ok, kind: 'session-cookie' },
    user: 'ada'
  }
]
