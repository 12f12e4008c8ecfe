import pg from 'pg'

/** As many connections as `pg` opens by default, and rid of those soon after: another server is measured next. */
export function openPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, idleTimeoutMillis: 2000 })
  // A server that goes away must not end the process.
  pool.on('error', () => {})
  return pool
}
