/** What answers one SQL statement: `pg.Pool`, `pg.PoolClient` and `app.pg` of @fastify/postgres all do. */
export interface Queryable {
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[]; rowCount: number | null }>
}

/** One connection, to be given back. */
export interface DatabaseClient extends Queryable {
  /** Gives the connection back; with an error (or `true`), closes it instead. */
  release(error?: Error | boolean): void
  /** Tells of a connection that breaks while nothing is asked of it. */
  on?(event: 'error', listener: (error: Error) => void): unknown
  off?(event: 'error', listener: (error: Error) => void): unknown
}

/** A database that lends connections, so that several statements can be one transaction. */
export interface Database extends Queryable {
  connect(): Promise<DatabaseClient>
}
