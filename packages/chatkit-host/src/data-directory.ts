import { randomBytes } from 'node:crypto'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StartError } from './start-error.ts'

/** Somebody to try the host with. */
export interface DemoUser {
  name: string
  email: string
  password: string
}

/** What the demo must remember from one start to the next. */
export interface DataDirectory {
  /** Where the embedded database is. */
  database: string
  /** Signs cookies and tokens. Made at the first start. */
  secret(): string
  /** `null` before the first start. */
  demoUser(): DemoUser | null
  saveDemoUser(user: DemoUser): void
}

/**
 * Opens the folder in which the demo keeps its database and, readable by this user alone, its secrets.
 *
 * @throws StartError when it cannot be made, read or written.
 */
export function openDataDirectory(path: string): DataDirectory {
  attempt(path, () => {
    makeFolder(path)
    // With the dot a file is refused as well.
    accessSync(`${path}/.`, constants.W_OK)
  })
  const userFile = join(path, 'demo-user.json')
  return {
    database: join(path, 'postgres'),
    secret() {
      const file = join(path, 'better-auth-secret')
      const secret = attempt(path, () => keepFile(file, () => `${randomBytes(32).toString('base64url')}\n`)).trim()
      // Cut short by a full disk, say. Another one would sign every user out, so it is not made silently.
      if (secret.length < 32) throw new StartError(`${file} is damaged: remove it.`)
      return secret
    },
    demoUser: () =>
      existsSync(userFile)
        ? readUser(
            userFile,
            attempt(path, () => readFileSync(userFile, 'utf8'))
          )
        : null,
    saveDemoUser: user => attempt(path, () => writeFileSync(userFile, `${JSON.stringify(user)}\n`, { mode: 0o600 }))
  }
}

/** Where the files are that were attached. */
export function attachmentsFolder(path: string): string {
  return join(path, 'attachments')
}

/** Makes sure, before somebody attaches one, that files can be kept. @throws StartError */
export function checkAttachments(path: string): void {
  attempt(path, () => {
    makeFolder(path)
    const folder = attachmentsFolder(path)
    // The dot: only a folder has it.
    accessSync(`${existsSync(folder) ? folder : path}/.`, constants.W_OK | constants.X_OK)
  })
}

/** Not `recursive`: below /proc, which says that what it holds is not there, Node would try for ever. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  try {
    mkdirSync(path)
  } catch (error) {
    // Another process that starts at the same time was first.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/** The file's text. Made when absent, for this user's eyes only. */
function keepFile(file: string, make: () => string): string {
  try {
    // `wx`: of two first starts at once, one makes it and both read the same.
    writeFileSync(file, make(), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return readFileSync(file, 'utf8')
}

function readUser(file: string, text: string): DemoUser {
  const damaged = `${file} is damaged: remove it, and another demo user is made.`
  let user: unknown
  try {
    user = JSON.parse(text)
  } catch (error) {
    throw new StartError(damaged, error)
  }
  const { name, email, password } = (user ?? {}) as Record<string, unknown>
  if (typeof name !== 'string' || typeof email !== 'string' || typeof password !== 'string')
    throw new StartError(damaged)
  return { name, email, password }
}

function attempt<Result>(path: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new StartError(
      `DATA_DIR (${path}) cannot be used (${code ?? message}): name a folder that this user may write to.`,
      error
    )
  }
}
