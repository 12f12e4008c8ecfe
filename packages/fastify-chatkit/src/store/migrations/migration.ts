import { createHash } from 'node:crypto'

/** One step of the tables' history. Once released it never changes: a database remembers its checksum. */
export type Migration = {
  /** Sorts after those before it: `0001-threads`. */
  name: string
  /** SQL, `{schema}` standing for the quoted name of the schema. */
  sql: string
}

/** SHA-256 of the SQL, before the schema's name is put in. */
export function checksum(migration: Migration): string {
  return createHash('sha256').update(migration.sql).digest('hex')
}
