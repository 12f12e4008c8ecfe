import { type JwtFault, signJwt } from 'fastify-better-auth-user/testing'
import { StartError } from '../start-error.ts'
import { type Command, readArgs } from './command.ts'
import { configOf, HOST_OPTIONS, type Host, type SignedIn, signIn, withHost } from './local-host.ts'

const USAGE = 'chatkit-host token [--user ada] [--ttl 15m] [--url http://127.0.0.1:3000] [--data-dir .data]'
const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400 }

/**
 * Prints a token of somebody to try the host with, and nothing else: `TOKEN=$(chatkit-host token)`. Who is not there yet is
 * signed up. Never in production.
 */
export const token: Command = async (args, io) => {
  const { options, words } = readArgs(args, [...HOST_OPTIONS, 'user', 'ttl'], USAGE)
  if (words.length > 0) throw new StartError(`Usage: ${USAGE}`)
  const ttlSeconds = secondsOf(options.ttl ?? '15m')
  if (configOf(options, io).production) {
    throw new StartError('NODE_ENV is production: nobody is signed in by a command there. Sign in at BETTER_AUTH_URL.')
  }
  io.print(
    await withHost(options, io, async host => mintJwt(host, await signIn(host, options.user ?? 'ada'), { ttlSeconds }))
  )
}

/** An HS256 token as an application would mint it, good or bad in exactly one way. @throws StartError */
export async function mintJwt(
  { config, secret }: Host,
  { id, email }: SignedIn,
  { ttlSeconds, bad }: { ttlSeconds: number; bad?: JwtFault | undefined }
): Promise<string> {
  const [iss] = config.issuer
  const [aud] = config.audience
  if ((bad === 'issuer' && iss === undefined) || (bad === 'audience' && aud === undefined)) {
    throw new StartError(
      `--bad ${bad} is not wrong here: the host checks it once BETTER_AUTH_${bad.toUpperCase()} is set`
    )
  }
  return signJwt({ sub: id, email, ...(iss && { iss }), ...(aud && { aud }) }, secret, { bad, ttlSeconds })
}

/** `90s`, `15m`, `2h`, `7d`. @throws StartError */
export function secondsOf(text: string): number {
  const [, number, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (number === undefined) throw new StartError(`--ttl ${text} is no time: write 90s, 15m, 2h or 7d`)
  return Number(number) * (UNITS[unit] ?? 1)
}
