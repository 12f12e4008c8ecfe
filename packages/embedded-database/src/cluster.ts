import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Binaries } from './binaries.ts'
import { DatabaseError, isSystemError } from './errors.ts'
import { installCluster } from './install-cluster.ts'
import type { Cluster, ClusterOptions } from './make-cluster.ts'

const place = 'cluster'

/**
 * Opens the cluster in a data directory, which is made when it is absent.
 *
 * @throws EDB_NOT_OURS there is something else in it, or we may not read it.
 * @throws EDB_OTHER_VERSION it was made by another major version of PostgreSQL.
 */
export async function openCluster(
  directory: string,
  { binaries, user, durable }: ClusterOptions,
  onProgress?: (sentence: string) => void
): Promise<Cluster> {
  try {
    if (mkdirSync(directory, { recursive: true }) !== undefined) chmodSync(directory, user ? 0o711 : 0o700)
    refuseOtherVersion(directory, directory, binaries)
    const path = join(directory, place)
    if (!existsSync(path)) {
      if (existsSync(join(directory, 'PG_VERSION'))) {
        throw notOurs(directory, 'is the data directory of a PostgreSQL server that was not made here')
      }
      onProgress?.('Making a new database.')
      await installCluster(directory, place, { binaries, user, durable })
    }
    const home = realpathSync(path)
    const data = join(home, 'data')
    refuseOtherVersion(data, directory, binaries)
    const { uid, gid } = statSync(data)
    return {
      data,
      password: readFileSync(join(home, 'password'), 'utf8'),
      // Root runs the server as whoever it was made for.
      user: user && uid !== 0 ? { uid, gid } : user
    }
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM')) throw notOurs(directory, 'belongs to another user', error)
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EEXIST')) throw notOurs(directory, 'holds no whole database', error)
    throw error
  }
}

function refuseOtherVersion(data: string, directory: string, { major }: Binaries) {
  const file = join(data, 'PG_VERSION')
  const version = existsSync(file) ? readFileSync(file, 'utf8').trim() : major
  if (version === major) return
  throw new DatabaseError(
    'EDB_OTHER_VERSION',
    `The database in ${directory} is of PostgreSQL ${version} and this is PostgreSQL ${major}: carry it over with pg_dump from a PostgreSQL ${version}, choose another data directory, or remove this one.`
  )
}

function notOurs(directory: string, what: string, cause?: unknown): DatabaseError {
  return new DatabaseError(
    'EDB_NOT_OURS',
    `${directory} ${what}: choose another data directory, remove this one, or open it as the user who made it.`,
    cause
  )
}
