import { resolve } from 'node:path'
import { findBinaries } from './binaries.ts'
import { openCluster } from './cluster.ts'
import { DatabaseError } from './errors.ts'
import { clearLock } from './lock.ts'
import type { Cluster } from './make-cluster.ts'
import { findFreePort } from './port.ts'
import { type Server, type ServerOptions, startServer } from './server.ts'
import { chooseServerUser } from './server-user.ts'

export { DatabaseError, type DatabaseErrorCode } from './errors.ts'

export interface DatabaseOptions {
  /** Where the data is kept; made when absent. Belongs to this package: put nothing else into it. */
  dataDirectory: string
  /** Whether a commit survives a power cut. Either way it survives the end of any process. @default true */
  durable?: boolean
  /** On 127.0.0.1; 0 takes one that is free. @default 0 */
  port?: number
  /** Told in a sentence what takes time. */
  onProgress?: (sentence: string) => void
  /** Given each line of the server's log: starts, stops and disasters; no statements. */
  log?: (line: string) => void
}

export interface Database {
  /** For `pg` and any other client. Holds the password: do not log it. */
  connectionString: string
  port: number
  /** Of the PostgreSQL server. */
  pid: number
  /** Stops the server, ending what sessions there are; the data stays. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Opens the PostgreSQL database kept in a folder, on 127.0.0.1, behind a password that only this user can read.
 *
 * It does not keep the process alive, and is stopped when the process ends, however it ends.
 *
 * @throws DatabaseError with a `code` and a sentence that names the cure.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { durable = true, port = 0, onProgress, log } = options
  const directory = resolve(options.dataDirectory)
  const user = chooseServerUser()
  const binaries = findBinaries(user)
  const cluster = await openCluster(directory, { binaries, user, durable }, onProgress)
  await clearLock(cluster.data, directory, onProgress)
  const server = await startOnPort(port, { ...cluster, binaries, durable, log })

  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= server.stop()
    return closed
  }
  return {
    connectionString: connectionStringFor(cluster, server.port),
    port: server.port,
    pid: server.pid,
    close,
    [Symbol.asyncDispose]: close
  }
}

/** Starts a server on the given port, or for 0 on one that is free. */
export async function startOnPort(
  port: number,
  options: Omit<ServerOptions, 'port'>
): Promise<Server & { port: number }> {
  for (let attempt = 1; ; attempt++) {
    const chosen = port || (await findFreePort())
    try {
      return { ...(await startServer({ ...options, port: chosen })), port: chosen }
    } catch (error) {
      // Someone was quicker to take the free port.
      const again = error instanceof DatabaseError && error.code === 'EDB_PORT_IN_USE' && port === 0 && attempt < 5
      if (!again) throw error
    }
  }
}

/** What a client needs to connect. */
export function connectionStringFor({ password }: Cluster, port: number): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
}
