import { createReadStream } from 'node:fs'
import { opendir, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { chatkitErrors } from '../errors.ts'
import { fromParts, toParts } from './names.ts'
import { isErrno } from './receive.ts'

/** Files of attachments in one folder, each at a path made of its owner and its id. */
export type LocalFiles = ReturnType<typeof localFiles>

export function localFiles(directory: string) {
  const root = resolve(directory)
  const pathOf = (owner: string, id: string) => join(root, ...toParts(owner, id))
  return {
    pathOf,
    /** For what is not complete. No owner's folder begins with a dot. */
    incoming: join(root, '.incoming'),

    /** How many bytes there are; `null` when there is no such file. */
    async sizeOf(owner: string, id: string): Promise<number | null> {
      return await whenThere(async () => (await stat(pathOf(owner, id))).size)
    },

    /** A file to be read; `null` when there is none. The stream opens it when reading begins, and closes it. */
    async read(owner: string, id: string): Promise<{ size: number; stream: Readable } | null> {
      const path = pathOf(owner, id)
      const found = await whenThere(() => stat(path))
      if (!found) return null
      if (!found.isFile()) throw new Error('There is something else where a file should be')
      return { size: found.size, stream: Readable.from(bytesOf(path), { objectMode: false }) }
    },

    async delete(owner: string, id: string): Promise<void> {
      await rm(pathOf(owner, id), { force: true })
    },

    /** Every file whose last byte was written before that time: of whom it is, or `null` for one that never became complete. */
    async *olderThan(before: Date): AsyncGenerator<{ path: string; of: { owner: string; id: string } | null }> {
      for await (const { path, parts } of walk(root, [])) {
        const modified = await whenThere(async () => (await stat(path)).mtime)
        if (!modified || modified >= before) continue
        if (parts[0] === '.incoming') yield { path, of: null }
        // What somebody else put there is not ours to delete.
        else if (fromParts(parts)) yield { path, of: fromParts(parts) }
      }
    }
  }
}

async function* walk(folder: string, parts: string[]): AsyncGenerator<{ path: string; parts: string[] }> {
  const entries = await whenThere(() => opendir(folder))
  if (!entries) return
  for await (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* walk(path, [...parts, entry.name])
    else if (entry.isFile()) yield { path, parts: [...parts, entry.name] }
  }
}

// Not opened before the first byte is asked for: who forgets a stream, or wanted the size alone, leaves nothing open. From
// Node 25 on an open file that nobody holds any more ends the process.
async function* bytesOf(path: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path)
  } catch (cause) {
    // Deleted since it was found.
    if (isErrno(cause, 'ENOENT')) throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_NOT_UPLOADED({ cause })
    throw new chatkitErrors.FST_CHATKIT_ATTACHMENTS_UNAVAILABLE({ cause })
  }
}

async function whenThere<Found>(find: () => Promise<Found>): Promise<Found | null> {
  try {
    return await find()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
}
