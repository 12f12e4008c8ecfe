import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { type Binaries, doesNotRun, unsupported } from './binaries.ts'
import { DatabaseError, isSystemError } from './errors.ts'
import { canEnter, openStateFolder, type ServerUser, serverEnvironment } from './server-user.ts'

/** What a server runs on: PostgreSQL calls it a database cluster. */
export interface Cluster {
  /** PostgreSQL's own data directory, an absolute path. */
  data: string
  /** Of the only role, `postgres`. */
  password: string
  user: ServerUser | undefined
}

interface ClusterOptions {
  binaries: Binaries
  user: ServerUser | undefined
  durable: boolean
}

// <data directory>/cluster/password   ours alone
// <data directory>/cluster/data       the server's
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
      await install(directory, { binaries, user, durable })
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

/**
 * Makes a new cluster whose role `postgres` asks for a random password.
 *
 * @param data an empty folder the user may write to.
 * @param aside a folder the user may enter, for a moment.
 */
export async function makeCluster(data: string, aside: string, options: ClusterOptions): Promise<Cluster> {
  const { binaries, user, durable } = options
  const password = randomBytes(24).toString('base64url')
  // Read by initdb, which does not run as us.
  const passwordFile = join(aside, 'password-for-initdb')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (user) for (const path of [data, passwordFile]) chownSync(path, user.uid, user.gid)
  const settings = [
    `--pgdata=${data}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    // The same order and the same upper case on every machine.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    // Rounds slow down guessing; 192 random bits need none, and each connection pays for them.
    '--set=scram_iterations=1',
    '--no-instructions'
  ]
  if (!durable) settings.push('--no-sync', '--no-data-checksums')
  try {
    await runInitdb(binaries, user, settings)
  } finally {
    rmSync(passwordFile, { force: true })
  }
  return { data, password, user }
}

async function runInitdb(binaries: Binaries, user: ServerUser | undefined, settings: string[]) {
  const initdb = spawn(binaries.initdb, settings, {
    ...user,
    cwd: '/',
    env: serverEnvironment,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  for (const stream of [initdb.stdout, initdb.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  const [code] = await once(initdb, 'close').catch(cause => {
    if (isSystemError(cause, 'ENOENT', 'EACCES')) throw unsupported(doesNotRun, cause)
    if (user && isSystemError(cause, 'EPERM', 'EINVAL')) {
      throw unsupported(
        `This root may not run PostgreSQL as user ${user.uid}, and PostgreSQL does not run as root.`,
        cause
      )
    }
    throw cause
  })
  if (code !== 0) throw new DatabaseError('EDB_START_FAILED', `PostgreSQL could not make a database.\n${output.trim()}`)
}

/** Makes the cluster under another name first: a kill half-way leaves no half cluster, and of two makers one wins. */
async function install(directory: string, options: ClusterOptions) {
  sweepUnfinished(directory)
  // A server user who may not pass, say, /root finds its cluster elsewhere, behind a link.
  const reachable = canEnter(directory, options.user)
  const unfinished = mkdtempSync(join(reachable ? directory : openStateFolder(options.user), `new-${process.pid}-`))
  let kept = false
  try {
    chmodSync(unfinished, options.user ? 0o711 : 0o700)
    const data = join(unfinished, 'data')
    mkdirSync(data, { mode: 0o700 })
    const { password } = await makeCluster(data, unfinished, options)
    writeFileSync(join(unfinished, 'password'), password, { mode: 0o600 })
    if (reachable) renameSync(unfinished, join(directory, place))
    else symlinkSync(unfinished, join(directory, place))
    kept = true
  } catch (error) {
    if (!isSystemError(error, 'EEXIST', 'ENOTEMPTY')) throw error
  } finally {
    if (!kept) rmSync(unfinished, { recursive: true, force: true })
  }
}

/** Removes what makers that were killed have left. */
function sweepUnfinished(directory: string) {
  for (const name of readdirSync(directory)) {
    const maker = /^new-(\d+)-/.exec(name)?.[1]
    if (maker === undefined) continue
    try {
      process.kill(Number(maker), 0)
    } catch (error) {
      if (isSystemError(error, 'ESRCH')) rmSync(join(directory, name), { recursive: true, force: true })
    }
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
