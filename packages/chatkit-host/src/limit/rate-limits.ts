import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type BetterAuthUserOptions, currentUser } from 'fastify-better-auth-user'
import { SIGN_IN_PATH, targetBelow } from '../addresses.ts'
import type { Config } from '../config.ts'
import { openLimiter } from './limiter.ts'
import { openRedis } from './redis.ts'

/** Refused credentials that one address (a /64 for IPv6) may send in a minute before it is told to wait. */
export const FAILURES_A_MINUTE = 30

/** Of Better Auth, what tries a password or sends a mail. */
const ATTEMPTS =
  /^\/(sign-in|sign-up|forget-password|request-password-reset|reset-password|send-verification-email|change-password|change-email|delete-user|verify-password)\b/

/** ChatKit requests that ask no model and so are no questions. Whatever is new counts as one. */
const NO_QUESTIONS: ReadonlySet<unknown> = new Set([
  'threads.get_by_id',
  'threads.list',
  'threads.update',
  'threads.delete',
  'items.list',
  'items.feedback',
  'attachments.create',
  'attachments.delete'
])

export interface RateLimits {
  /** For the chat route, when its body has been read: questions of a user. */
  limitTurns(request: FastifyRequest): Promise<void>
  /**
   * Limits guesses. Counted are refused credentials alone, by address and never by the user they claim: nobody can lock
   * anybody out, and whoever holds a good credential is served whatever others behind the same address do.
   */
  onRejected: NonNullable<BetterAuthUserOptions['onRejected']>
}

/**
 * How often is too often. To be called before authentication is registered, so that a flood asks no database. Streams
 * that run are not touched.
 *
 * @throws RATE_LIMITED 429 with `Retry-After`, for each request too many.
 */
export async function rateLimits(
  app: FastifyInstance,
  { rateLimits, redisUrl, production }: Pick<Config, 'rateLimits' | 'redisUrl' | 'production'>
): Promise<RateLimits> {
  const create = await openLimiter(app, redisUrl === null ? null : await openRedis(app, redisUrl))
  const requests = create({ name: 'requests', max: rateLimits.requests, key: addressOf })
  const signIns = create({ name: 'sign-ins', max: rateLimits.signIns, key: addressOf })
  const turns = create({ name: 'turns', max: rateLimits.turns, key: request => currentUser(request).id })
  // In development the only guesser is oneself.
  const failures = create({ name: 'failures', max: production ? FAILURES_A_MINUTE : 0, key: addressOf })

  app.addHook('onRequest', async request => {
    if (request.routeOptions.config.operational) return
    refuse(await requests(request), 'Too many requests from this address')
    if (isAttempt(request)) refuse(await signIns(request), 'Too many attempts to sign in from this address')
  })
  return {
    async limitTurns(request) {
      if (isQuestion(request.body)) refuse(await turns(request), 'Too many questions')
    },
    async onRejected(request, { decision }) {
      if (decision.outcome !== 'rejected') return
      refuse(await failures(request), 'Too many refused credentials')
    }
  }
}

function addressOf({ ip }: FastifyRequest): string {
  return normalizeIP(ip)
}

function isAttempt({ method, url, routeOptions }: FastifyRequest): boolean {
  if (method !== 'POST' || !routeOptions.url?.startsWith(`${SIGN_IN_PATH}/`)) return false
  // As Better Auth will read it: `/api/auth/x/../sign-in/email` signs in as well.
  const { pathname } = targetBelow('http://localhost', url)
  return ATTEMPTS.test(pathname.slice(SIGN_IN_PATH.length))
}

function isQuestion(body: unknown): boolean {
  return !NO_QUESTIONS.has((body as { type?: unknown } | null)?.type)
}

/** The error's `retryAfter` is made a header where errors are answered. */
function refuse(seconds: number | null, what: string): void {
  if (seconds === null) return
  const when = seconds === 1 ? 'in a second' : `in ${seconds} seconds`
  throw Object.assign(new Error(`${what}; try again ${when}`), {
    statusCode: 429,
    code: 'RATE_LIMITED',
    retryAfter: seconds
  })
}
