import { createHmac } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { localUrl } from '../addresses.ts'
import { type Config, readConfig } from '../config.ts'
import { SERVER_NAME } from '../health.ts'
import { askOwnSignIn, type NewSession } from '../own-sign-in.ts'
import { StartError } from '../start-error.ts'
import type { Io } from './command.ts'

/** A host that answers, and what is needed to sign people in there. */
export interface Host {
  url: string
  secret: string
  config: Config
}

/** Somebody to try a host with, signed in. */
export interface SignedIn {
  id: string
  email: string
  /** Raw session token. */
  token: string
}

/** The options by which every command finds the host. */
export const HOST_OPTIONS = ['url', 'data-dir'] as const

export type HostOptions = Partial<Record<(typeof HOST_OPTIONS)[number], string>>

/** Names that are only of this machine. */
const LOCAL = /^(localhost|\[?::1\]?|127(\.\d{1,3}){3})$/

/** Whether an address is of this machine. An address without a host is a socket, and local. */
export function isLocal(address: string): boolean {
  const { hostname } = new URL(address)
  return hostname === '' || LOCAL.test(hostname)
}

/** The configuration the environment and the options ask for. @throws ConfigError */
export function configOf(options: HostOptions, { environment }: Io): Config {
  const directory = options['data-dir']
  return readConfig(directory === undefined ? environment : { ...environment, DATA_DIR: directory })
}

/**
 * Works with the host that runs at `--url`, or on HOST and PORT; when neither is given and none runs there, with one
 * that is started for the purpose and closed afterwards.
 *
 * @param own start one in any case: what is asked about happens inside of it.
 * @throws StartError when no host answers where one was said to be, or when it is not on this machine.
 */
export async function withHost<Result>(
  options: HostOptions,
  io: Io,
  work: (host: Host) => Promise<Result>,
  { own = false }: { own?: boolean } = {}
): Promise<Result> {
  const config = configOf(options, io)
  const url = (options.url ?? ownUrl(config)).replace(/\/+$/, '')
  if (!URL.canParse(url)) throw new StartError(`${url} is no address: write http://127.0.0.1:3000`)
  if (!isLocal(url)) throw new StartError(`${url} is not on this machine: nobody is signed in by a command elsewhere.`)
  const known = options.url !== undefined || config.port !== 0
  if (!own && known && (await isHost(url))) return work({ url, config, secret: secretOf(config) })
  if (!own && options.url !== undefined)
    throw new StartError(`No host answers at ${url}: start one with chatkit-host, or npm start.`)
  const { startHost } = await import('../server.ts')
  const host = await startHost({ ...config, host: '127.0.0.1', port: 0, logLevel: 'silent' }, () => {})
  try {
    return await work({ url: host.url, config, secret: secretOf(config) })
  } finally {
    await host.close()
  }
}

/** Of a host on this machine; one that listens on another address only is not found. */
function ownUrl({ host, port }: Config): string {
  const url = localUrl({ host, port })
  return isLocal(url) ? url : localUrl({ host: '127.0.0.1', port })
}

/** The secret of the environment, or the one the data directory keeps. @throws StartError */
export function secretOf({ secret, dataDirectory }: Pick<Config, 'secret' | 'dataDirectory'>): string {
  const file = join(dataDirectory, 'better-auth-secret')
  if (secret !== null) return secret
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  throw new StartError(`There is no secret in ${file}: name the host's DATA_DIR, or set its BETTER_AUTH_SECRET.`)
}

/**
 * Signs somebody in, over the wire like anybody else. Who is not there yet is made: a password follows from the secret, so
 * that nothing has to be kept.
 *
 * @param name `ada` for ada@example.com.
 * @throws StartError
 */
export async function signIn({ url, secret, config }: Host, name: string): Promise<SignedIn> {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new StartError(`"${name}" is no name: write small letters, such as ada`)
  const email = `${name}@example.com`
  const password = createHmac('sha256', secret).update(`development:${name}`).digest('base64url')
  const user = { name: `${name.charAt(0).toUpperCase()}${name.slice(1)}`, email, password }
  for (const what of ['sign-in', 'sign-up'] as const) {
    const reply = await askOwnSignIn(url, config, what, user)
    if (!reply.ok) continue
    const { token, user: found } = (await reply.json()) as NewSession
    return { id: found.id, email, token }
  }
  throw new StartError(
    `${email} can neither sign in nor sign up at ${url}: is it its own sign-in (BETTER_AUTH_MOUNT=1), is the secret its own, and has nobody taken that name (--user)?`
  )
}

/** Whether a chatkit-host answers there. */
export async function isHost(url: string): Promise<boolean> {
  try {
    const reply = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(3000) })
    const body = (await reply.json()) as { server?: unknown }
    return body.server === SERVER_NAME
  } catch {
    return false
  }
}
