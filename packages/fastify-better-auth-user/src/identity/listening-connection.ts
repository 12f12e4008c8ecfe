import type { Statement } from './queryable.ts'

/** A connection of one's own: the part of `pg.Client` and `pg.PoolClient` that is used. */
export interface ListeningClient {
  query(statement: Statement): Promise<{ rows: unknown[] }>
  on(event: 'notification', listener: (message: { channel: string; payload?: string | undefined }) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
  removeAllListeners(event: 'error'): unknown
  /** What the server, or a pooler before it, has called this connection. */
  processID?: number | null
  unref?(): void
  /** Of a pool. */
  release?(destroy: boolean): void
  end?(): Promise<void>
  connection?: { stream?: { destroy?(): unknown } }
}

/** A client whose end is noticed, and which ends for certain. */
export interface ListeningConnection {
  /** The name by which the server should know it. */
  processId: number | null
  /** Becomes true at its first failure. */
  ended: boolean
  query(text: string, values?: unknown[], name?: string): Promise<unknown[]>
  /** Does not let it keep the process alive from now on. */
  unref(): void
  /** Ends it, politely when it answers. Waits a second at most. */
  close(): Promise<void>
}

const GOODBYE_MS = 1000

export function listeningConnection(
  client: ListeningClient,
  { heard, broken }: { heard(channel: string, payload: string): void; broken(error: Error): void }
): ListeningConnection {
  let closing: Promise<void> | null = null
  const ended = new Promise<void>(resolve => client.on('end', resolve))
  // pg no longer wants to keep a line of queries itself.
  let last: Promise<unknown> = Promise.resolve()
  const connection: ListeningConnection = {
    processId: client.processID ?? null,
    ended: false,
    async query(text, values, name) {
      const answer = last.then(() =>
        client.query({ text, ...(values && { values }), ...(name !== undefined && { name }) })
      )
      last = answer.catch(() => undefined)
      return (await answer).rows
    },
    unref: () => client.unref?.(),
    close() {
      connection.ended = true
      closing ??= close()
      return closing
    }
  }
  // Without a listener for it, the loss of a connection would end the process.
  client.on('error', fail)
  client.on('end', () => fail(new Error('the connection was ended')))
  client.on('notification', ({ channel, payload }) => {
    if (!connection.ended) heard(channel, payload ?? '')
  })
  return connection

  function fail(error: Error): void {
    if (connection.ended) return
    connection.ended = true
    broken(error)
  }

  async function close(): Promise<void> {
    discard(client)
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>(resolve => {
      timer = setTimeout(resolve, GOODBYE_MS)
    })
    await Promise.race([ended, patience])
    clearTimeout(timer)
    // A network that swallows everything also swallows goodbyes.
    client.connection?.stream?.destroy?.()
  }
}

/** Ends a client without waiting for it; never gives it back to others. */
export function discard(client: ListeningClient): void {
  if (client.release === undefined) void client.end?.().catch(() => undefined)
  else client.release(true)
  // A pool passes on what its clients complain of, and where it has no listener itself the process would end.
  client.removeAllListeners('error')
  client.on('error', () => {})
}

/**
 * A connection of its own, by the `pg` of the application.
 *
 * @throws Error when it cannot be had.
 */
export async function connectTo(connectionString: string, timeoutMs: number): Promise<ListeningClient> {
  const { default: pg } = await importPg()
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: timeoutMs,
    keepAlive: true,
    application_name: 'fastify-better-auth-user'
  })
  // It may break between its connection and its first use.
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    await client.end()
    throw error
  }
  return client
}

/** @throws Error naming the cure when `pg` is not installed. */
async function importPg() {
  try {
    return await import('pg')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error('The package pg is needed for this and not installed: npm install pg', { cause: error })
  }
}
