/** What went wrong; stable, so that a program may act on it. */
export type DatabaseErrorCode =
  /** No PostgreSQL binary of npm runs on this machine. */
  | 'EDB_UNSUPPORTED'
  /** Another living process has the data directory open. */
  | 'EDB_IN_USE'
  /** The data directory was written by another major version of PostgreSQL. */
  | 'EDB_OTHER_VERSION'
  /** The data directory holds something this package did not put there, or may not read. */
  | 'EDB_NOT_OURS'
  /** The port asked for is taken. */
  | 'EDB_PORT_IN_USE'
  /** PostgreSQL did not start; the message ends with its own last lines. */
  | 'EDB_START_FAILED'

/** Why a database could not be opened. The message is a sentence that names the cure. */
export class DatabaseError extends Error {
  readonly code: DatabaseErrorCode

  constructor(code: DatabaseErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'DatabaseError'
    this.code = code
  }
}

/** True for a system error with one of these codes, such as `EEXIST`. */
export function isSystemError(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
