import { isIP } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Config } from './config.ts'

/** Where ChatKit requests go. */
export const CHAT_PATH = '/support/chatkit'

/** Where the sign-in is mounted. */
export const SIGN_IN_PATH = '/api/auth'

/** The address a listening application answers at, for somebody on this machine. */
export function urlOf(app: FastifyInstance): string {
  const address = app.server.address()
  if (address === null || typeof address === 'string') return 'http://localhost'
  return localUrl({ host: address.address, port: address.port })
}

/** Where a host that listens on HOST and PORT answers, for somebody on this machine. */
export function localUrl({ host, port }: Pick<Config, 'host' | 'port'>): string {
  const name = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
  return `http://${inUrl(name)}:${port}`
}

/**
 * The target of a request as an address below `origin`. Joined as text: `new URL(path, base)` would take `//elsewhere/` for
 * another host, and so would a target that is an address by itself (RFC 9112 §3.2.2).
 */
export function targetBelow(origin: string, target: string): URL {
  return new URL(`${origin}${target.replace(/^[a-z]+:\/\/[^/]*/i, '')}`)
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}

/**
 * Issuer and audience of the JWTs that are signed here: Better Auth's default is its address. With PORT=0 that is not known
 * before the host listens, and would change with every start, so it is the name alone.
 */
export function issuerOf({ authUrl, host, port }: Pick<Config, 'authUrl' | 'host' | 'port'>): string {
  return new URL(authUrl ?? `http://${inUrl(host)}${port === 0 ? '' : `:${port}`}`).origin
}

function inUrl(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}
