import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseError, isSystemError } from './errors.ts'
import { holderSetting } from './server.ts'

/**
 * Sees to it that no server has the data directory: refuses when the process that opened it lives, ends the server
 * when that process is gone, and clears a lock file left by a server that is gone itself.
 *
 * PostgreSQL's own lock stays the judge of a race; this one gives better answers. In particular PostgreSQL believes any
 * living process with the noted id to be the server, and in containers ids repeat from one start to the next.
 *
 * @throws EDB_IN_USE
 */
export async function clearLock(data: string, directory: string, onProgress?: (sentence: string) => void) {
  for (let waitedMs = 0; ; waitedMs += 100) {
    const server = findServer(data)
    if (!server) {
      const noted = readProcessId(lockFile(data))
      if (noted !== undefined && commandLine(noted) !== undefined) rmSync(lockFile(data), { force: true })
      return
    }
    if (commandLine(server.holder) !== undefined || waitedMs > 20_000) {
      throw new DatabaseError(
        'EDB_IN_USE',
        `The database in ${directory} is open in process ${server.holder}: stop that process first, or choose another data directory.`
      )
    }
    if (waitedMs === 0) onProgress?.('Waiting for the server of a process that was killed to stop.')
    // Its watchdog does this; unless that was killed too.
    if (waitedMs === 2000) signal(server.pid)
    await sleep(100)
  }
}

/** The living server of a data directory, and the process that started it. */
export function findServer(data: string): { pid: number; holder: number } | undefined {
  const pid = readProcessId(lockFile(data))
  const command = pid === undefined ? undefined : commandLine(pid)
  if (pid === undefined || !command?.includes(`-D ${data} `)) return undefined
  // One that was started by hand answers for itself.
  return { pid, holder: Number(new RegExp(`${holderSetting}=(\\d+)`).exec(command)?.[1] ?? pid) }
}

function lockFile(data: string): string {
  return join(data, 'postmaster.pid')
}

function readProcessId(lock: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(lock, 'utf8'), 10) || undefined
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
}

function signal(server: number) {
  try {
    process.kill(server, 'SIGINT')
  } catch (error) {
    if (!isSystemError(error, 'ESRCH')) throw error
  }
}

/** The arguments of a living process, joined by blanks; undefined when there is none. */
export function commandLine(processId: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // Empty for a process that has ended and waits to be noticed by its parent.
      return readFileSync(`/proc/${processId}/cmdline`, 'utf8').replaceAll('\0', ' ') || undefined
    }
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(processId)], { encoding: 'utf8' }) || undefined
  } catch {
    return undefined
  }
}
