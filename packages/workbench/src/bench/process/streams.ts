import { startChild } from './child.ts'

export interface StreamsToRead {
  port: number
  /** One a stream, as they go over the wire. */
  requests: readonly string[]
}

export interface StreamsToOpen extends StreamsToRead {
  /** Whether nothing is read of them after their head. */
  stalled: boolean
}

export interface StreamsRead {
  seconds: number
  /** Of each stream. */
  frames: number[]
}

/** Somebody who reads streams. */
export interface StreamReader {
  /** All of each, side by side. @throws Error unless each is answered with 200 */
  read(streams: StreamsToRead): Promise<StreamsRead>
  /** Keeps them open. */
  open(streams: StreamsToOpen): Promise<void>
  /** Leaves those that were kept open. */
  leave(): Promise<void>
  close(): Promise<void>
}

export function startStreamReader(): StreamReader {
  const child = startChild(new URL('./stream-process.js', import.meta.url))
  return {
    read: streams => child.ask('read', streams),
    open: streams => child.ask('open', streams),
    leave: () => child.ask('leave'),
    close: () => child.close()
  }
}
