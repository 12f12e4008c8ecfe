import type { FastifyInstance } from 'fastify'
import { migrateChatkit } from 'fastify-chatkit'
import { isLoopback, urlOf } from './addresses.ts'
import { buildApp, type Dependencies } from './app.ts'
import type { Config } from './config.ts'
import { checkAttachments, type DataDirectory, openDataDirectory } from './data-directory.ts'
import { checkAuthTables, type HostDatabase, type Migration, migrate, openHostDatabase } from './database.ts'
import { checkUnpooled, identityCacheMigration } from './identity-cache.ts'
import { describeAnswers } from './responder.ts'
import { StartError } from './start-error.ts'
import { hostMigration } from './tables/tables.ts'

/** A host that answers. */
export interface RunningHost {
  /** Where, for somebody on this machine. */
  url: string
  app: FastifyInstance
  /** Lets open answers end for as long as DRAIN_TIMEOUT says, ends the others, then connections, then the database. */
  close(): Promise<void>
}

/**
 * Opens the database, brings its tables up to date, and listens.
 *
 * @param print a line for whoever started it.
 * @param options.logStream where the log goes. @default standard output
 * @param options.respond answers in place of what the configuration asks for.
 * @throws StartError with a sentence that names the cure. Whatever was opened by then is closed again.
 */
export async function startHost(
  config: Config,
  print: (line: string) => void,
  options: Pick<Dependencies, 'logStream' | 'respond'> = {}
): Promise<RunningHost> {
  if (config.attachmentBytes > 0) checkAttachments(config.dataDirectory)
  const { database, secret, data } = await prepare(config, print)
  let app: FastifyInstance | null = null
  const close = async () => {
    await app?.drain.begin(config.drainTimeoutMs)
    await app?.close()
    await database.close()
  }
  try {
    app = await buildApp(config, {
      database: database.pool,
      secret,
      print,
      ...options
    })
    await listen(app, config)
    const url = urlOf(app)
    print(`chatkit-host listens on ${url}`)
    print(describeAnswers(config))
    if (!isLoopback(config.host) && config.signIn) print('Anybody who reaches this address may sign up.')
    if (data !== null) {
      const { welcome } = await import('./demo.ts')
      print((await welcome(url, config, secret, data)).join('\n'))
    }
    return { url, app, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Opens the database, brings its tables up to date, and closes it again. */
export async function migrateOnly(config: Config, print: (line: string) => void): Promise<void> {
  const { database } = await prepare(config, print, config.identityCache)
  await database.close()
  print('The tables are up to date.')
}

interface Prepared {
  database: HostDatabase
  secret: string
  /** Of the demo; `null` with a database of one's own. */
  data: DataDirectory | null
}

/** @param watch whether triggers may be put on tables that belong to another application. */
async function prepare(config: Config, print: (line: string) => void, watch = false): Promise<Prepared> {
  const data = config.databaseUrl === null ? openDataDirectory(config.dataDirectory) : null
  // Loaded while the database opens.
  const provider = config.signIn ? import('./identity-provider.ts') : null
  const database = await openHostDatabase(config, data?.database ?? '', print)
  try {
    // After the database, which only one process can hold: two first starts would each make a secret.
    const secret = config.secret ?? data?.secret()
    if (secret === undefined) throw new StartError('BETTER_AUTH_SECRET is missing: DATABASE_URL is set.')
    const authMigration = provider === null ? checkAuthTables : (await provider).betterAuthMigration(secret)
    const migrations: Migration[] = [authMigration, chatkitMigration, hostMigration]
    if (watch || (config.identityCache && config.signIn)) migrations.push(identityCacheMigration)
    for (const line of await migrate(database.pool, migrations)) print(`Made ${line}`)
    await checkUnpooled(config)
    return { database, secret, data }
  } catch (error) {
    await database.close()
    throw error
  }
}

const chatkitMigration: Migration = async pool => {
  await migrateChatkit(pool)
  return null
}

async function listen(app: FastifyInstance, { host, port, portChosen }: Config): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const cure = portChosen ? 'stop that program or choose another PORT' : 'stop it, or choose another with PORT=3001'
    const reasons: Record<string, string> = {
      EADDRINUSE: `Port ${port} on ${host} is taken by another program: ${cure} (PORT=0 takes a free one).`,
      EACCES: `Port ${port} on ${host} may not be opened by this user: choose a PORT above 1023.`,
      EADDRNOTAVAIL: `This machine has no address ${host}: set HOST to one of its own, or to 127.0.0.1.`,
      ENOTFOUND: `HOST is ${host}, which no name server knows: set it to an address of this machine.`
    }
    const { syscall } = error as NodeJS.ErrnoException
    // By now nothing but HOST and PORT can be to blame: a name server that is away, an address without its zone.
    const unlisted =
      syscall === undefined
        ? undefined
        : `HOST is ${host}, which cannot be listened on (${code}): set it to an address of this machine.`
    const reason = reasons[code ?? ''] ?? unlisted
    throw reason === undefined ? error : new StartError(reason, error)
  }
}
