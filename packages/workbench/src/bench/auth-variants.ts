import type { BetterAuthUserOptions } from 'fastify-better-auth-user'
import { type Exchange, get } from './process/load.ts'
import type { MeasuredServer } from './process/measured-server.ts'
import { CREDENTIALS, type CredentialName, headersFor, type Keys } from './rows/credentials.ts'
import { userId } from './rows/people.ts'
import type { BetterAuthSettings } from './server/better-auth.ts'
import type { PluginSettings } from './server/plugin.ts'
import type { ServerName } from './server/servers.ts'

/** One way to know the caller. */
export interface AuthVariant {
  name: string
  server: ServerName | 'seed-stack'
  /** But for the database. */
  settings: object
  credential: CredentialName
  /** Whether what it costs a single caller is measured, too. */
  alone: boolean
}

export const SECRET = 'a-secret-for-benches-that-protects-nothing'
export const ORIGIN = 'http://127.0.0.1'

/** Every kind on: so each credential also pays for being told from the others. */
export const ALL_KINDS: BetterAuthUserOptions = {
  secret: SECRET,
  hs256: true,
  keySet: { source: 'database', issuer: ORIGIN, audience: ORIGIN }
}

/** In the order in which they are measured and shown. */
export const authVariants: readonly AuthVariant[] = [
  { name: 'bare', server: 'bare', settings: { id: userId(0) }, credential: 'raw', alone: true },
  {
    name: 'bare-connected',
    server: 'bare',
    settings: { id: userId(0), connected: true },
    credential: 'raw',
    alone: false
  },
  ...plugin('fresh', ALL_KINDS),
  ...plugin('cached', { ...ALL_KINDS, cache: true }),
  // Of this one credential: not to ask the channel saves the same whatever it came with.
  ...plugin('lenient', { ...ALL_KINDS, cache: { maxStalenessMs: 1000 } }, ['raw']),
  { name: 'prepared-query', server: 'prepared-query', settings: {}, credential: 'raw', alone: true },
  { name: 'fastify-jwt', server: 'fastify-jwt', settings: { secret: SECRET }, credential: 'hs256', alone: false },
  betterAuth('better-auth-cookie', 'no plugins', 'cookie'),
  betterAuth('better-auth-bearer-jwt', 'bearer-jwt', 'raw'),
  betterAuth('better-auth-cookie-cache', 'cookie-cache', 'cookie'),
  { name: 'seed-stack', server: 'seed-stack', settings: {}, credential: 'hs256', alone: false }
]

function plugin(
  name: string,
  options: PluginSettings['options'],
  credentials: readonly CredentialName[] = CREDENTIALS
): AuthVariant[] {
  const settings: Omit<PluginSettings, 'connectionString'> = { options }
  return credentials.map(credential => ({
    name: `${name}-${credential}`,
    server: 'plugin',
    settings,
    credential,
    alone: true
  }))
}

function betterAuth(name: string, set: BetterAuthSettings['set'], credential: CredentialName): AuthVariant {
  return { name, server: 'better-auth', settings: { secret: SECRET, set }, credential, alone: false }
}

/** What is sent for each caller, and what must come back. */
export async function exchangesFor(
  { name, server: kind, credential }: AuthVariant,
  server: Pick<MeasuredServer, 'ask'>,
  callers: readonly number[],
  keys: Keys
): Promise<Exchange[]> {
  const headers = await Promise.all(callers.map(caller => headersFor(credential, caller, keys)))
  if (name === 'better-auth-cookie-cache') {
    const cookies = await server.ask<string[]>(
      'cookies',
      headers.map(({ cookie }) => cookie)
    )
    for (const [index, cookie] of cookies.entries()) headers[index] = { cookie }
  }
  return callers.map((caller, index) => ({
    request: get('/me', headers[index] ?? {}),
    body: JSON.stringify({ id: kind === 'bare' ? userId(0) : userId(caller) })
  }))
}
