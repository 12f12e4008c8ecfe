import type { Database, Queryable } from './queryable.ts'

/**
 * Runs work on one connection, as one transaction. The connection is given back exactly once, whatever happens;
 * one that broke is given back to be closed, which ends its transaction.
 */
export async function inTransaction<Result>(
  database: Database,
  work: (client: Queryable) => Promise<Result>
): Promise<Result> {
  const client = await database.connect()
  let broken: Error | undefined
  // A lent connection that breaks between two queries says so to nobody else, and an unheard `error` ends the process.
  const onError = (error: Error) => {
    broken = error
  }
  client.on?.('error', onError)
  try {
    await client.query('begin')
    try {
      const result = await work(client)
      await client.query('commit')
      return result
    } catch (error) {
      await client.query('rollback').catch(onError)
      throw error
    }
  } catch (error) {
    // Not even begun.
    if (error instanceof Error && 'syscall' in error) broken ??= error
    throw error
  } finally {
    client.off?.('error', onError)
    client.release(broken)
  }
}
