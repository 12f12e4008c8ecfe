import type { ErrorCode } from 'fastify-better-auth-user'
import type { Line } from '../fixtures/better-auth-releases.ts'
import type { DeploymentName } from './deployments.ts'
import type { Issue } from './issue.ts'
import type { ServiceName } from './services.ts'

/** What may have happened to a credential between its issue and the request. The README has a column for each. */
export const CONDITIONS = {
  genuine: 'Genuine',
  expired: 'Expired',
  'signed out': 'Signed out',
  'signed out here': 'Signed out here, signed in elsewhere',
  revoked: 'Revoked',
  tampered: 'Tampered',
  foreign: 'Of another deployment',
  banned: 'User banned',
  deleted: 'User deleted'
} as const

export type Condition = keyof typeof CONDITIONS

/** How the service answers `/me`, and what its decision says. */
export interface Verdict {
  status: number
  code: ErrorCode | null
  /** The decision's, word for word. */
  reason: string | null
  /** The kind of credential it was taken for; `null`: none was seen. @default the form's */
  kind?: string | null
}

export type Verdicts = Partial<Record<Condition, Verdict>>

export interface Form {
  name: string
  /** Heading in the README. */
  group: string
  issue: Issue
  /** @default 'plain' */
  on?: DeploymentName
  /** @default 'default' */
  by?: ServiceName
  /** The kind of credential it is taken for. */
  kind: string | null
  /** Conditions left out do not apply. */
  verdicts: Verdicts
  /** Lines that have the feature, and differences between them. @default all */
  lines?: readonly Line[]
  /** It stands for its user without any session. */
  sessionless?: boolean
  /** The session's `impersonatedBy` is set. */
  impersonated?: boolean
}

export const ok: Verdict = { status: 200, code: null, reason: null }

export function invalid(reason: string): Verdict {
  return { status: 401, code: 'FST_BAU_CREDENTIAL_INVALID', reason }
}

export const anonymous: Verdict = {
  status: 401,
  code: 'FST_BAU_CREDENTIAL_MISSING',
  reason: null,
  kind: null
}

/** One verdict whatever happened, for what is no credential; `expired` only where it can be. */
export function always(verdict: Verdict, ...more: [Verdicts?]): Verdicts {
  const [other = {}] = more
  return {
    genuine: verdict,
    'signed out': verdict,
    tampered: verdict,
    foreign: verdict,
    banned: verdict,
    deleted: verdict,
    ...other
  }
}

const OTHER_SIGNATURE = invalid('signed with another secret')
const NO_SESSION = invalid('no such session')
const BANNED = invalid('the user is banned')

/** A credential that names its session, which a database row has to confirm. */
export const session: Verdicts = {
  genuine: ok,
  expired: invalid('the session has expired'),
  'signed out': NO_SESSION,
  'signed out here': NO_SESSION,
  tampered: NO_SESSION,
  foreign: NO_SESSION,
  banned: BANNED,
  deleted: NO_SESSION
}

/** The same, signed. */
export const signedSession: Verdicts = { ...session, tampered: OTHER_SIGNATURE, foreign: OTHER_SIGNATURE }

/** A JWT, which names its user: any live session of theirs will do. */
export const jwtOfUser: Verdicts = {
  genuine: ok,
  expired: { status: 401, code: 'FST_BAU_TOKEN_EXPIRED', reason: 'exp has passed' },
  'signed out': { status: 404, code: 'FST_BAU_NO_ACTIVE_SESSION', reason: 'No active sessions found for user' },
  'signed out here': ok,
  tampered: invalid('the signature was refused'),
  foreign: invalid('signed with an unknown key'),
  banned: BANNED,
  deleted: { status: 404, code: 'FST_BAU_USER_NOT_FOUND', reason: 'User not found with provided email' }
}

/** A JWT that names its session, too. */
export const jwtOfSession: Verdicts = {
  ...jwtOfUser,
  'signed out here': { status: 404, code: 'FST_BAU_NO_ACTIVE_SESSION', reason: 'No active sessions found for user' }
}

export const hs256OfUser: Verdicts = { ...jwtOfUser, foreign: invalid('the signature was refused') }

export const UNKNOWN = invalid('unknown, expired or disabled')

/** A credential with a row of its own, apart from any session. */
export const ownRow: Verdicts = {
  genuine: ok,
  expired: UNKNOWN,
  'signed out': ok,
  revoked: UNKNOWN,
  tampered: UNKNOWN,
  foreign: UNKNOWN,
  banned: BANNED,
  deleted: UNKNOWN
}
