import { messageOf } from '../errors.ts'
import { MissingTable } from './tables.ts'

/** A failure that is a sentence with its cure already. */
export class Told extends Error {
  /** Try again after so many milliseconds, instead of soon. */
  retryMs: number | null

  constructor(message: string, retryMs: number | null = null) {
    super(message)
    this.retryMs = retryMs
  }
}

/** What went wrong with a listening connection, as a sentence with its cure. */
export function sentenceOf(error: unknown): string {
  if (error instanceof Told || error instanceof MissingTable) return error.message
  const message = messageOf(error)
  const code = (error as { code?: unknown } | null)?.code
  const cure = typeof code === 'string' ? (CURES[code] ?? CURES[code.slice(0, 2)]) : undefined
  return `The listening connection to the database failed (${message}): ${cure ?? 'it is tried again by itself; see that the database is up and can be reached'}.`
}

// By SQLSTATE, or its class.
const CURES: Record<string, string> = {
  '25006': 'connect it to the primary, since a hot standby cannot LISTEN',
  '28': 'correct its user and password, or let that user connect in pg_hba.conf',
  '3D000': 'correct the name of the database',
  '42501': 'grant the connecting user CONNECT on the database',
  '54000': 'end the transaction that has been open for long in a session that listens (pg_stat_activity)',
  '53300': 'raise max_connections or make the pools of the services smaller'
}

/**
 * Whether the server itself said so, which it can only while it is reached. By SQLSTATE, save for those of connections and
 * of servers on their way down; no SQLSTATE begins with an E, as the codes of the system do.
 */
export function isAnswer(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^(?!08|57P|E)[0-9A-Z]{5}$/.test(code)
}
