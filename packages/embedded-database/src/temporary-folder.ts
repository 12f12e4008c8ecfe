import { chownSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseError } from './errors.ts'
import { spawnGuarded } from './guarded-process.ts'
import { canEnter, type ServerUser } from './server-user.ts'

export interface TemporaryFolder {
  path: string
  remove(): Promise<void>
}

// Waits for the server on the folder, which is stopped at the same time and removes its lock file as its last act; an
// initdb may still write for a moment.
const janitor = `
folder=$1
read -r line <&3 && exit
tries=0
while [ -e "$folder/data/postmaster.pid" ] && [ $tries -lt 400 ]; do tries=$((tries + 1)); sleep 0.1; done
for try in 1 2 3 4 5; do rm -rf "$folder" && [ ! -e "$folder" ] && exit; sleep 1; done 2>/dev/null
`

/** An empty folder that the server's user may enter. It is removed with this process, should `remove` not be called. */
export function makeTemporaryFolder(user: ServerUser | undefined): TemporaryFolder {
  const parent = [tmpdir(), '/tmp', '/var/tmp'].find(folder => canEnter(folder, user))
  if (parent === undefined) {
    throw new DatabaseError('EDB_UNSUPPORTED', 'There is no temporary folder the database may use: set TMPDIR to one.')
  }
  const path = mkdtempSync(join(parent, 'embedded-database-'))
  const guard = spawnGuarded(janitor, [path])
  guard.keepUsAlive(false)
  if (user) chownSync(path, user.uid, user.gid)
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 5 })
      guard.dismiss()
    }
  }
}
