import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { type ServerUser, serverEnvironment } from './server-user.ts'

/** A shell script that learns of our end, even by kill -9. */
export interface GuardedProcess {
  child: ChildProcess
  /** Tells the script that all is in order and that it need not wait for our end. */
  dismiss(): void
  /** Whether this process may not end before the script. At first it may not. */
  keepUsAlive(keep: boolean): void
}

/**
 * Starts a shell script whose descriptor 3 reads a line when it is dismissed, and the end of file when we are gone.
 * Its standard error comes to us.
 */
export function spawnGuarded(script: string, parameters: string[], user?: ServerUser): GuardedProcess {
  const child = spawn('/bin/sh', ['-c', script, 'embedded-database', ...parameters], {
    ...user,
    cwd: '/',
    env: serverEnvironment,
    // A session of its own: Ctrl-C in a terminal is for us alone.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe']
  })
  const lifeline = child.stdio[3]
  // The script may have ended before we say so.
  lifeline?.on('error', () => undefined)
  return {
    child,
    dismiss() {
      if (lifeline instanceof Socket && lifeline.writable) lifeline.end('dismissed\n')
    },
    keepUsAlive(keep) {
      const method = keep ? 'ref' : 'unref'
      child[method]()
      for (const stream of child.stdio) if (stream instanceof Socket) stream[method]()
    }
  }
}
