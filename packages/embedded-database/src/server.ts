import type { ChildProcess } from 'node:child_process'
import { type Binaries, doesNotRun, unsupported } from './binaries.ts'
import { DatabaseError } from './errors.ts'
import { spawnGuarded } from './guarded-process.ts'
import type { ServerUser } from './server-user.ts'

/** How to run one server. */
export interface ServerOptions {
  binaries: Binaries
  user: ServerUser | undefined
  /** PostgreSQL's data directory, an absolute path. */
  data: string
  port: number
  durable: boolean
  log?: ((line: string) => void) | undefined
}

/** A running server. */
export interface Server {
  pid: number
  /** Ends the server; its data stays. */
  stop(): Promise<void>
}

/** Marks a server's command line with the process that answers for it. */
export const holderSetting = 'embedded_database.holder'

// The shell becomes the server, so the server's process id is our child's. Before that it leaves a watchdog behind,
// which stops the server when we are gone.
const launcher = `
data=$1
shift
(
  exec </dev/null >/dev/null 2>&1
  read -r line <&3 && exit
  kill -s INT $$
  tries=0
  while [ -e "$data/postmaster.pid" ] && [ $tries -lt 300 ]; do tries=$((tries + 1)); sleep 0.1; done
  [ $tries -lt 300 ] || kill -s QUIT $$
) &
exec "$@" 3<&-
`

const stopTimeoutMs = 20_000

/**
 * Starts PostgreSQL on an existing data directory and waits until it takes connections.
 *
 * The server does not keep this process alive, and does not outlive it.
 *
 * @throws EDB_IN_USE another server has the data directory.
 * @throws EDB_PORT_IN_USE the port is taken.
 * @throws EDB_START_FAILED anything else; the message ends with PostgreSQL's own words.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { binaries, user, data, log } = options
  const parameters = [data, binaries.postgres, ...serverArguments(options)]
  const { child, dismiss, keepUsAlive } = spawnGuarded(launcher, parameters, user)
  const exited = new Promise<void>(resolve => {
    child.once('exit', () => {
      dismiss()
      resolve()
    })
  })
  await becomesReady(child, log)
  keepUsAlive(false)

  return {
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      keepUsAlive(true)
      // Fast shutdown: sessions are ended, what they committed is written. Immediate, should that take too long;
      // nothing committed is lost by it, the next start replays the log.
      const impatience = setTimeout(() => child.kill('SIGQUIT'), stopTimeoutMs)
      child.kill('SIGINT')
      await exited
      clearTimeout(impatience)
    }
  }
}

function serverArguments({ data, port, durable }: ServerOptions): string[] {
  const settings: Record<string, string | number> = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 200,
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Start, stop and disaster only: an error's statement and detail may quote what users keep secret.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    [holderSetting]: process.pid
  }
  if (durable) {
    // It shares the machine with its application.
    settings.shared_buffers = '32MB'
  } else {
    // Memory as PostgreSQL has it by default: what is measured here should hold elsewhere.
    Object.assign(settings, { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' })
  }
  return ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

function becomesReady(child: ChildProcess, log: ServerOptions['log']): Promise<void> {
  return new Promise((resolve, reject) => {
    const lines: string[] = []
    let rest = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) {
        log?.(line)
        if (lines.push(line) > 20) lines.shift()
        if (/ready to accept (read-only )?connections/.test(line)) resolve()
      }
    })
    child.once('error', reject)
    // Not `exit`: by then not all of the output may have been read.
    child.once('close', code => reject(explainFailure(code, [...lines, rest].join('\n').trim())))
  })
}

function explainFailure(code: number | null, output: string): DatabaseError {
  if (code === 126 || code === 127) {
    return unsupported(`${doesNotRun} (${output})`)
  }
  if (/lock file .* already exists|shared memory block .* is still in use/.test(output)) {
    return new DatabaseError('EDB_IN_USE', `Another server has the same data directory open: stop it first.\n${output}`)
  }
  if (/Address already in use/.test(output)) {
    return new DatabaseError('EDB_PORT_IN_USE', 'The port is in use: choose another, or 0 for any that is free.')
  }
  return new DatabaseError('EDB_START_FAILED', `PostgreSQL did not start (exit code ${code}).\n${output}`)
}
