import type { BetterAuthUserOptions } from 'fastify-better-auth-user'
import { issuerOf } from './addresses.ts'
import type { Config } from './config.ts'

/** Which tokens this host takes: HS256 under the shared secret, and JWTs by key wherever it is known whose they are. */
export function acceptedTokens(config: Config): Pick<BetterAuthUserOptions, 'hs256' | 'keySet'> {
  const { issuer, audience, authUrl, jwksUrl, signIn } = config
  // Better Auth names its own origin as issuer and audience, unless it is told otherwise.
  const own = signIn || authUrl !== null ? [issuerOf(config)] : []
  const byKey = own.length > 0 || jwksUrl !== null
  return {
    hs256: { issuer: orUndefined(issuer), audience: orUndefined(audience) },
    keySet: byKey
      ? { source: jwksUrl ?? 'database', issuer: [...issuer, ...own], audience: [...audience, ...own] }
      : undefined
  }
}

function orUndefined(list: readonly string[]): readonly string[] | undefined {
  return list.length > 0 ? list : undefined
}
