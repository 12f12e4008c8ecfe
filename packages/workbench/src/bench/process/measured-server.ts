import type { ServerName } from '../server/servers.ts'
import { startChild } from './child.ts'
import type { Remains } from './remains.ts'

/** What a server's process used between `begin` and `end`. */
export interface Usage {
  /** User and system time of all its threads, the collector's among them. */
  cpuMicroseconds: number
  seconds: number
  rssBytes: number
  /** What timers were late by. */
  loopDelayP99Ms: number
}

/** A server in a process of its own. */
export interface MeasuredServer {
  pid: number
  port: number
  begin(): Promise<void>
  end(): Promise<Usage>
  /** After a collection of garbage. */
  remains(): Promise<Remains>
  /** Something only this server knows how to do. */
  ask<Answer>(what: string, about?: unknown): Promise<Answer>
  close(): Promise<void>
}

export interface ServerOptions {
  server: ServerName
  settings: object
  /** Of this run: names the profile. */
  label: string
  /** Folder for a CPU profile of the whole life of the process. `null`: none is taken. */
  profile?: string | null | undefined
}

export async function startServer({ server, settings, label, profile }: ServerOptions): Promise<MeasuredServer> {
  const profiling = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${label}.cpuprofile`] : []
  const child = startChild(new URL('./server-process.js', import.meta.url), profiling)
  try {
    const port = await child.ask<number>('start', { server, settings })
    return {
      pid: child.pid,
      port,
      begin: () => child.ask('begin'),
      end: () => child.ask('end'),
      remains: () => child.ask('remains'),
      ask: (what, about) => child.ask('special', { what, about }),
      close: () => child.close()
    }
  } catch (error) {
    await child.close()
    throw error
  }
}
