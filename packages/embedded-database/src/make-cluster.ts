import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Binaries, doesNotRun, unsupported } from './binaries.ts'
import { DatabaseError, isSystemError } from './errors.ts'
import { type ServerUser, serverEnvironment } from './server-user.ts'

/** What a server runs on: PostgreSQL calls it a database cluster. */
export interface Cluster {
  /** PostgreSQL's own data directory, an absolute path. */
  data: string
  /** Of the only role, `postgres`. */
  password: string
  user: ServerUser | undefined
}

/** How to make one. */
export interface ClusterOptions {
  binaries: Binaries
  user: ServerUser | undefined
  durable: boolean
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
