// pnpm conformance:serve [port] – the scripted server by itself, for any replayer. CTRL-C ends it.
import { createTestDatabase } from 'embedded-database/testing'
import { scriptedServer } from './scripted-server.ts'

const port = Number(process.argv[2] ?? process.env.PORT ?? 0)
const given = process.env.DATABASE_URL
const database = given ? { connectionString: given, close: async () => undefined } : await createTestDatabase()
const { app, url } = await scriptedServer(database.connectionString, { port })
console.log(url)

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    app
      .close()
      .then(() => database.close())
      .then(
        () => process.exit(0),
        error => {
          console.error(error)
          process.exit(1)
        }
      )
  })
