import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import type { BetterAuthUserOptions } from 'fastify-better-auth-user'

/** Refused credentials that one address (a /64 for IPv6) may send in a minute before it is told to wait. */
export const FAILURES_A_MINUTE = 30

/**
 * Limits guesses. Counted are refused credentials alone, by address and never by the user they claim: nobody can lock
 * anybody out, and whoever holds a good credential is served whatever others behind the same address do.
 */
export async function limitFailures(app: FastifyInstance): Promise<NonNullable<BetterAuthUserOptions['onRejected']>> {
  await app.register(rateLimit, { global: false })
  const failures = app.createRateLimit({ max: FAILURES_A_MINUTE, timeWindow: '1 minute' })
  return async (request, { decision }) => {
    if (decision.outcome !== 'rejected') return
    const limit = await failures(request)
    if (!limit.isAllowed && limit.isExceeded)
      throw app.httpErrors.tooManyRequests('Too many refused credentials; wait a minute')
  }
}
