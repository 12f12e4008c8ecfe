import type { FastifyError } from '@fastify/error'
import type { CredentialKind, CredentialSource } from './credential/credential.ts'
import type { Carrier, Recollection, Recollections } from './credential/recollections.ts'
import type { AuthDecision, Stage } from './decision.ts'
import { type ErrorCode, errors, invalid, messageOf, withCause } from './errors.ts'
import type { IdentityRecord, IdentityStore } from './identity/identity-store.ts'
import { objectionTo } from './identity/standing.ts'
import type { Claims, Identity, Proof } from './types.ts'
import { isPromise } from './whenever.ts'

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
  recollections: Recollections
  identityStore: IdentityStore
  /** Answer for a verified JWT without user or live session. */
  unknownUserStatus: 401 | 404
  /** Whether a credential browsers attach by themselves may not be believed in this request. */
  isForeign(source: CredentialSource): boolean
  /** Say whether a session was expired or a user banned. */
  discloseReasons: boolean
}

/** How far one request has got. */
interface Progress {
  started: number
  stage: Stage
  kind: CredentialKind | null
  claims: Claims | null
  /** What was met before in this request's header. */
  known: Recollection | null
  /** What else the credential may be recalled by from now on, should somebody be known by it. */
  carrier: Carrier | null
}

/**
 * Says who is calling: reads the credential, verifies it, finds user and session, asks whether they may act. Answers at
 * once when nobody had to be waited for. Never throws.
 */
export function authenticate(pipeline: Pipeline, source: CredentialSource): Authentication | Promise<Authentication> {
  const started = performance.now()
  const known = pipeline.recollections.recall(source)
  const progress: Progress = { started, stage: 'extract', kind: null, claims: null, known, carrier: null }
  try {
    const proof = prove(pipeline, source, progress)
    if (proof === null) return finish(progress, 'anonymous', null, null)
    const record = isPromise(proof) ? undefined : recallFirst(pipeline.identityStore, proof, progress)
    return record === undefined ? lookUp(pipeline, proof, progress) : decide(pipeline, proof as Proof, record, progress)
  } catch (error) {
    return failed(progress, error)
  }
}

/** What the credential proves; `null` when there is none. */
function prove(pipeline: Pipeline, source: CredentialSource, progress: Progress): Proof | Promise<Proof> | null {
  const { known } = progress
  if (known !== null) {
    progress.kind = known.kind
    refuseForeign(pipeline, known.kind, source)
    return known.proof
  }
  const found = extract(pipeline.kinds, source)
  if (found === null) return null
  const { kind, credential } = found
  progress.kind = kind
  if (typeof credential !== 'string') throw new errors.FST_BAU_CREDENTIAL_MALFORMED(credential.malformed)
  refuseForeign(pipeline, kind, source)
  progress.stage = 'verify'
  progress.carrier = pipeline.recollections.carrierOf(source, kind)
  return kind.verify(credential)
}

/** The first reading of a credential, when who has it is known without asking; most have no other. */
function recallFirst(store: IdentityStore, { claims }: Proof, progress: Progress): IdentityRecord | undefined {
  const first = claims[0]
  if (first === undefined) return undefined
  progress.stage = 'find'
  progress.claims = first
  return store.recall?.(first, progress.known, progress.started)
}

async function lookUp(
  pipeline: Pipeline,
  proving: Proof | Promise<Proof>,
  progress: Progress
): Promise<Authentication> {
  try {
    const proof = isPromise(proving) ? await proving : proving
    progress.stage = 'find'
    return decide(pipeline, proof, await findFirst(pipeline.identityStore, proof, progress), progress)
  } catch (error) {
    return failed(progress, error)
  }
}

function decide(pipeline: Pipeline, proof: Proof, record: IdentityRecord | null, progress: Progress): Authentication {
  const { kind, claims, carrier } = progress
  const identity = recognise(record, claims, pipeline)
  progress.stage = 'standing'
  if (record !== null && objectionTo(record) === 'banned') {
    throw pipeline.discloseReasons ? new errors.FST_BAU_USER_BANNED() : invalid('the user is banned')
  }
  progress.stage = 'done'
  if (kind !== null && carrier !== null) pipeline.recollections.keep(carrier, kind, proof)
  return finish(progress, 'authenticated', identity, null)
}

function failed(progress: Progress, error: unknown): Authentication {
  const known = toKnownError(error)
  return finish(progress, known.statusCode === 503 ? 'unavailable' : 'rejected', null, known)
}

function finish(
  { started, stage, kind, claims }: Progress,
  outcome: AuthDecision['outcome'],
  identity: Identity | null,
  error: FastifyError | null
): Authentication {
  const decision: AuthDecision = {
    outcome,
    kind: (identity === null || claims === null ? null : kind?.nameOf?.(claims)) ?? kind?.name ?? null,
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

function extract(kinds: readonly CredentialKind[], source: CredentialSource) {
  for (const kind of kinds) {
    const credential = kind.extract(source)
    if (credential !== null) return { kind, credential }
  }
  return null
}

function refuseForeign(pipeline: Pipeline, { ambient }: CredentialKind, source: CredentialSource): void {
  if (ambient === true && pipeline.isForeign(source)) throw new errors.FST_BAU_ORIGIN_REFUSED()
}

/** The record of the first reading that somebody knows. */
async function findFirst(store: IdentityStore, { claims }: Proof, progress: Progress): Promise<IdentityRecord | null> {
  try {
    for (const one of claims) {
      progress.claims = one
      const record = store.recall?.(one) ?? (await store.find(one))
      if (record !== null) return record
    }
    return null
  } catch (cause) {
    // Never a 401: clients would sign their users out because a database restarts.
    throw withCause(new errors.FST_BAU_UNAVAILABLE(), cause)
  }
}

function recognise(record: IdentityRecord | null, claims: Claims | null, pipeline: Pipeline): Identity {
  const by = claims?.by
  // API keys and OAuth tokens live apart from any session; their own row says whether they do.
  const needsSession = by !== 'api-key' && by !== 'oauth-token' && by !== 'oauth-grant'
  if (record !== null && (record.session !== null || !needsSession)) {
    const { user, session, sessionCount, grant = null } = record
    return { user, session, sessionCount, grant }
  }
  if (!needsSession) throw invalid('unknown, expired or disabled')
  if (by === 'session-token') {
    if (record === null) throw invalid('no such session')
    const expired = new Error('the session has expired')
    throw pipeline.discloseReasons ? withCause(new errors.FST_BAU_TOKEN_EXPIRED(), expired) : invalid(expired.message)
  }
  // The token was genuine, so naming what is missing tells its holder nothing about others.
  if (pipeline.unknownUserStatus === 401) {
    throw invalid(record === null ? 'no such user' : 'the user has no live session')
  }
  throw record === null ? new errors.FST_BAU_USER_NOT_FOUND() : new errors.FST_BAU_NO_ACTIVE_SESSION()
}

function toKnownError(error: unknown): FastifyError {
  if (error instanceof Error && 'code' in error && String(error.code) in errors) return error as FastifyError
  // A kind threw something that is not ours. Whatever it was, the credential has not been proven.
  return withCause(new errors.FST_BAU_CREDENTIAL_INVALID(), error)
}

function reasonOf(error: FastifyError): string {
  const { cause } = error
  return cause instanceof Error ? messageOf(cause) : error.message
}
