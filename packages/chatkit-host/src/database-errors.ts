import pg from 'pg'

/** What may be wrong with a certificate, as OpenSSL and Node call it. */
const CERTIFICATE = /^(ERR_TLS_CERT_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/

/**
 * What is wrong with DATABASE_URL, in a sentence with the cure, when an error is about that: who is let in, and where, is
 * settled before the first statement, and what may be made by the first that makes a table.
 *
 * @returns `null` for anything else.
 */
export function refusal(connectionString: string, error: unknown): string | null {
  // Without one in the URL, pg knows where it went: PGHOST, or this machine.
  const host = new URL(connectionString).host || new pg.Client({ connectionString }).host
  const { code, message } = error as { code?: unknown; message?: unknown }
  switch (code) {
    case '28P01':
    case '28000':
      return `PostgreSQL at ${host} does not let the user of DATABASE_URL in (${code}): check its name and its password, and pg_hba.conf there.`
    case '3D000':
      return `PostgreSQL at ${host} has no such database as DATABASE_URL names (3D000): create it, or correct the URL.`
    case '42501':
      return `The user of DATABASE_URL may not make tables (${message}): grant it CREATE on the database and its schema, or run chatkit-host migrate once as a user who may.`
    case '25006':
      return `PostgreSQL at ${host} may only be read from: name the primary server in DATABASE_URL, not a standby.`
  }
  const setting = refusedSetting(error)
  if (setting !== null)
    return `The pooler at ${host} takes no connection that sets ${setting}: take it out of DATABASE_URL, name it in the pooler's ignore_startup_parameters, or name the server itself.`
  if (message === 'The server does not support SSL connections')
    return `PostgreSQL at ${host} does not speak TLS: turn ssl on there, or take sslmode out of DATABASE_URL.`
  if (typeof code === 'string' && CERTIFICATE.test(code))
    return `The certificate of PostgreSQL at ${host} is not trusted (${code}): name its authority in DATABASE_URL (?sslrootcert=/path/to/ca.pem), and the host as the certificate does.`
  if (isOutage(error))
    return `The database at ${host} cannot be reached (${code ?? message}): check DATABASE_URL, and that PostgreSQL runs there.`
  return null
}

/** The setting for which PgBouncer turned a connection away; `null` when it was not for that. */
export function refusedSetting(error: unknown): string | null {
  const [, setting] =
    error instanceof Error ? (/^unsupported startup parameter(?: in options)?: (\w+)/.exec(error.message) ?? []) : []
  return setting ?? null
}

const SYSTEM_CALLS = new Set(['connect', 'getaddrinfo', 'read', 'write'])

/** Whether an error, or what caused it, says that the database cannot be reached or takes no more connections. */
export function isOutage(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code, syscall, errors } = at as { code?: unknown; syscall?: unknown; errors?: unknown }
    // Several addresses were tried, and each failed.
    if (Array.isArray(errors) && errors.some(isOutage)) return true
    if (typeof syscall === 'string' && SYSTEM_CALLS.has(syscall)) return true
    // SQLSTATE: class 08 is a broken connection, 57P0x a server that stops or starts, 53300 too many connections.
    if (typeof code === 'string' && /^(08\w{3}|57P0\d|53300)$/.test(code)) return true
    if (/^(Connection terminated|timeout exceeded when trying to connect|Query read timeout)/.test(at.message))
      return true
  }
  return false
}
