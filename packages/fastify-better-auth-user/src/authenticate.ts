import type { FastifyError } from '@fastify/error'
import type { CredentialKind, CredentialSource } from './credential/credential.ts'
import type { AuthDecision, Stage } from './decision.ts'
import { type ErrorCode, errors } from './errors.ts'
import type { IdentityRecord, IdentityStore } from './identity/identity-store.ts'
import { objectionTo } from './identity/standing.ts'
import type { Claims, Identity } from './types.ts'

/** What came of one request. */
export interface Authentication {
  decision: AuthDecision
  claims: Claims | null
  /** Set when, and only when, the outcome is `authenticated`. */
  identity: Identity | null
  /** Set when the outcome is `rejected` or `unavailable`. */
  error: FastifyError | null
}

export interface Pipeline {
  /** In the order asked; the first that extracts something decides. */
  kinds: readonly CredentialKind[]
  identityStore: IdentityStore
  /** Answer for a verified JWT without user or live session. */
  unknownUserStatus: 401 | 404
}

/** Says who is calling: reads the credential, verifies it, finds user and session, asks whether they may act. Never throws. */
export async function authenticate(pipeline: Pipeline, source: CredentialSource): Promise<Authentication> {
  const started = performance.now()
  let stage: Stage = 'extract'
  let kind: CredentialKind | null = null
  let claims: Claims | null = null

  try {
    const found = extract(pipeline.kinds, source)
    if (found === null) return finish('anonymous', null, null)
    kind = found.kind
    if (typeof found.credential !== 'string') {
      throw new errors.FST_BAU_CREDENTIAL_MALFORMED(found.credential.malformed)
    }

    stage = 'verify'
    claims = await kind.verify(found.credential)

    stage = 'find'
    const record = await find(pipeline.identityStore, claims)
    const identity = recognise(record, claims, pipeline.unknownUserStatus)

    stage = 'standing'
    if (record !== null && objectionTo(record) === 'banned')
      throw refusal('FST_BAU_CREDENTIAL_INVALID', 'the user is banned')

    stage = 'done'
    return finish('authenticated', identity, null)
  } catch (error) {
    const known = toKnownError(error)
    return finish(known.statusCode === 503 ? 'unavailable' : 'rejected', null, known)
  }

  function finish(
    outcome: AuthDecision['outcome'],
    identity: Identity | null,
    error: FastifyError | null
  ): Authentication {
    const decision: AuthDecision = {
      outcome,
      kind: kind?.name ?? null,
      stage,
      code: error === null ? null : (error.code as ErrorCode),
      reason: error === null ? null : reasonOf(error),
      userId: identity?.user.id ?? null,
      sessionId: identity?.session?.id ?? null,
      sessionCount: identity?.sessionCount ?? 0,
      durationMs: performance.now() - started
    }
    return { decision, claims, identity, error }
  }
}

function extract(kinds: readonly CredentialKind[], source: CredentialSource) {
  for (const kind of kinds) {
    const credential = kind.extract(source)
    if (credential !== null) return { kind, credential }
  }
  return null
}

async function find(store: IdentityStore, claims: Claims): Promise<IdentityRecord | null> {
  try {
    return await store.find(claims)
  } catch (cause) {
    // Never a 401: clients would sign their users out because a database restarts.
    throw Object.assign(new errors.FST_BAU_UNAVAILABLE(), { cause })
  }
}

function recognise(record: IdentityRecord | null, claims: Claims, unknownUserStatus: 401 | 404): Identity {
  const ownsLife = claims.by === 'api-key' || claims.by === 'oauth-token'
  if (record !== null && (record.session !== null || ownsLife)) {
    const { user, session, sessionCount, grant = null } = record
    return { user, session, sessionCount, grant }
  }
  if (ownsLife) throw refusal('FST_BAU_CREDENTIAL_INVALID', 'unknown, expired or disabled')
  if (claims.by === 'session-token') {
    throw refusal('FST_BAU_CREDENTIAL_INVALID', record === null ? 'no such session' : 'the session has expired')
  }
  // The token was genuine, so naming what is missing tells its holder nothing about others.
  if (unknownUserStatus === 401) {
    throw refusal('FST_BAU_CREDENTIAL_INVALID', record === null ? 'no such user' : 'the user has no live session')
  }
  throw record === null ? new errors.FST_BAU_USER_NOT_FOUND() : new errors.FST_BAU_NO_ACTIVE_SESSION()
}

function refusal(code: 'FST_BAU_CREDENTIAL_INVALID', why: string): FastifyError {
  return Object.assign(new errors[code](), { cause: new Error(why) })
}

function toKnownError(error: unknown): FastifyError {
  if (error instanceof Error && 'code' in error && String(error.code) in errors) return error as FastifyError
  // A kind threw something that is not ours. Whatever it was, the credential has not been proven.
  return Object.assign(new errors.FST_BAU_CREDENTIAL_INVALID(), { cause: error })
}

function reasonOf(error: FastifyError): string {
  const { cause } = error
  return cause instanceof Error ? cause.message : error.message
}
