import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { isSystemError } from './errors.ts'
import { findServer } from './lock.ts'
import { type ClusterOptions, makeCluster } from './make-cluster.ts'
import { canEnter, openStateFolder } from './server-user.ts'

/**
 * Makes a cluster at a path: under another name first, so that a kill half-way leaves no half cluster, and of two
 * makers one wins.
 *
 *     password   ours alone
 *     data       the server's
 *     origin     where the link is, if this is kept elsewhere
 */
export async function installCluster(directory: string, name: string, options: ClusterOptions) {
  const path = join(directory, name)
  // A server's user who may not pass, say, /root finds its cluster elsewhere, behind a link.
  const elsewhere = canEnter(directory, options.user) ? undefined : openStateFolder(options.user)
  sweepUnfinished(elsewhere ?? directory)
  if (elsewhere !== undefined) sweepAbandoned(elsewhere)
  const unfinished = mkdtempSync(join(elsewhere ?? directory, `new-${process.pid}-`))
  try {
    chmodSync(unfinished, options.user ? 0o711 : 0o700)
    const data = join(unfinished, 'data')
    mkdirSync(data, { mode: 0o700 })
    const { password } = await makeCluster(data, unfinished, options)
    writeFileSync(join(unfinished, 'password'), password, { mode: 0o600 })
    if (elsewhere === undefined) {
      renameSync(unfinished, path)
      return
    }
    const home = mkdtempSync(join(elsewhere, 'cluster-'))
    renameSync(unfinished, home)
    try {
      symlinkSync(home, path)
      // Not before: without a link it would seem abandoned.
      writeFileSync(join(home, 'origin'), path)
    } catch (error) {
      rmSync(home, { recursive: true, force: true })
      throw error
    }
  } catch (error) {
    // Another maker was quicker.
    if (!isSystemError(error, 'EEXIST', 'ENOTEMPTY')) throw error
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}

/** Removes what makers that were killed have left. */
function sweepUnfinished(folder: string) {
  for (const name of readdirSync(folder)) {
    const maker = /^new-(\d+)-/.exec(name)?.[1]
    if (maker === undefined) continue
    try {
      process.kill(Number(maker), 0)
    } catch (error) {
      if (isSystemError(error, 'ESRCH')) rmSync(join(folder, name), { recursive: true, force: true })
    }
  }
}

/**
 * Removes clusters whose link was removed, and nobody could tell them. Only those of temporary folders: another link
 * may be on a disk that is not mounted now.
 */
function sweepAbandoned(folder: string) {
  for (const name of readdirSync(folder)) {
    const home = join(folder, name)
    const file = join(home, 'origin')
    if (!name.startsWith('cluster-') || !existsSync(file)) continue
    const origin = readFileSync(file, 'utf8')
    const temporary = [tmpdir(), '/tmp', '/var/tmp'].some(place => origin.startsWith(place + sep))
    const linked = existsSync(origin) && realpathSync(origin) === realpathSync(home)
    if (temporary && !linked && !findServer(join(home, 'data'))) rmSync(home, { recursive: true, force: true })
  }
}
