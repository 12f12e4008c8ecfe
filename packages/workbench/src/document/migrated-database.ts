import { readConfig } from 'chatkit-host'
import { migrateOnly } from 'chatkit-host/development'
import { createTestDatabase } from 'embedded-database/testing'

/** Of this database alone, which is gone a moment later. */
export const SECRET = 'the-secret-of-a-database-of-one-moment'

/** Works with a database as a host that is its own sign-in makes it. */
export async function withMigratedDatabase<Result>(
  work: (connectionString: string) => Promise<Result>
): Promise<Result> {
  const database = await createTestDatabase()
  try {
    const { connectionString } = database
    const environment = { DATABASE_URL: connectionString, BETTER_AUTH_SECRET: SECRET, BETTER_AUTH_MOUNT: '1' }
    await migrateOnly(readConfig(environment), () => {})
    return await work(connectionString)
  } finally {
    await database.close()
  }
}
