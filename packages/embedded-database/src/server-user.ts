import { spawnSync } from 'node:child_process'
import { accessSync, chmodSync, constants, lstatSync, mkdirSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseError } from './errors.ts'

/** Whom the server runs as, where that is not ourselves. */
export interface ServerUser {
  uid: number
  gid: number
}

/** All a child of ours needs to know; nothing of our own environment reaches another user. */
export const serverEnvironment = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/**
 * Whom to run PostgreSQL as: it refuses root.
 *
 * @returns undefined when we are an ordinary user, and so is the server.
 * @throws EDB_UNSUPPORTED we are root and the machine has no user to hand the server to.
 */
export function chooseServerUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', '_postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map(flag => Number.parseInt(String(spawnSync('id', [flag, name]).stdout), 10))
    if (uid && gid) return { uid, gid }
  }
  throw new DatabaseError(
    'EDB_UNSUPPORTED',
    'PostgreSQL does not run as root and this machine has neither a user "postgres" nor "nobody": start as an ordinary user, or set DATABASE_URL to a PostgreSQL server.'
  )
}

/** True when the server's user may enter this folder, or run this file. */
export function canEnter(path: string, user: ServerUser | undefined): boolean {
  if (user) {
    // Asked of the system itself, since modes alone tell nothing of access lists and mount options.
    const options = { ...user, cwd: '/', env: serverEnvironment, stdio: 'ignore' as const }
    return spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], options).status === 0
  }
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * A lasting folder that the server's user may enter and that nobody but us may write to: for what cannot be where it
 * belongs, because the checkout is closed to that user or is read-only.
 */
export function openStateFolder(user: ServerUser | undefined): string {
  const own = process.getuid?.() ?? -1
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const candidates = [
    user ? '/var/lib/embedded-database' : join(cache, 'embedded-database'),
    join(tmpdir(), `embedded-database-${own}`)
  ]
  for (const folder of candidates) {
    try {
      // Explicitly, whatever the umask says.
      if (mkdirSync(folder, { recursive: true }) !== undefined) chmodSync(folder, 0o711)
      const { uid, mode } = lstatSync(folder)
      // Someone else may have been quicker to take a name in a shared folder.
      if (uid === own && (mode & 0o022) === 0 && lstatSync(folder).isDirectory() && canEnter(folder, user))
        return folder
    } catch {}
  }
  throw new DatabaseError(
    'EDB_UNSUPPORTED',
    `The database needs a folder of its own and may use none of ${candidates.join(', ')}: set XDG_CACHE_HOME, or set DATABASE_URL to a PostgreSQL server.`
  )
}
