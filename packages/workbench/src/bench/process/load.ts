import { startChild } from './child.ts'
import type { Exchange } from './exchange.ts'

export type { Exchange } from './exchange.ts'

export interface Target {
  port: number
  /** Sent in turn. */
  exchanges: readonly Exchange[]
}

/** So many requests, as fast as they are answered. */
export interface Load {
  count: number
  connections: number
}

/** Requests at a rate of their own. */
export interface SteadyLoad {
  perSecond: number
  seconds: number
  /** Most at a time; further ones wait for a free connection, and that counts as their waiting. */
  connections: number
}

/** Every answer was the right one. */
export interface LoadReport {
  count: number
  seconds: number
  p50Ms: number
  p99Ms: number
}

/** Somebody who asks servers. @throws Error when any answer is not the right one */
export interface Loader {
  aim(target: Target): Promise<void>
  counted(load: Load): Promise<LoadReport>
  steady(load: SteadyLoad): Promise<LoadReport>
  close(): Promise<void>
}

export function startLoader(): Loader {
  const child = startChild(new URL('./load-process.js', import.meta.url))
  return {
    aim: target => child.ask('aim', target),
    counted: load => child.ask('counted', load),
    steady: load => child.ask('steady', load),
    close: () => child.close()
  }
}

/** A GET as it goes over the wire. */
export function get(path: string, headers: Record<string, string>): string {
  const lines = Object.entries({ host: '127.0.0.1', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** A POST of JSON as it goes over the wire. */
export function post(path: string, headers: Record<string, string>, body: object): string {
  const text = JSON.stringify(body)
  const sized = { ...headers, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }
  return `${get(path, sized).replace('GET', 'POST')}${text}`
}
