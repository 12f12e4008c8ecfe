import { randomUUID } from 'node:crypto'
import { type FileHandle, link, mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { chatkitErrors } from '../errors.ts'
import { canBe, sniffedBytes } from './sniff.ts'

export type Arrival = {
  /** Where the file will be. */
  target: string
  /** A folder of the same file system, for what is not complete. */
  incoming: string
  /** A type without parameters. */
  essence: string
  maxBytes: number
  /** How many bytes it must have. */
  size?: number
  /** Ends waiting for more. */
  signal: AbortSignal
}

/**
 * Writes what arrives into a file: all of it, or nothing. Reads no faster than the disk writes. When it is done the file has reached
 * the disk, and is never replaced.
 *
 * @returns how many bytes it has.
 * @throws FST_CHATKIT_ATTACHMENT_TOO_LARGE, FST_CHATKIT_ATTACHMENT_REFUSED, FST_CHATKIT_ATTACHMENT_UPLOADED,
 * FST_CHATKIT_UPLOAD_INVALID, FST_CHATKIT_UPLOAD_TOO_SLOW; what the file system says.
 */
export async function receiveFile(source: Readable, arrival: Arrival): Promise<number> {
  const { target, incoming } = arrival
  await mkdir(incoming, { recursive: true, mode: 0o700 })
  const temporary = join(incoming, randomUUID())
  const file = await open(temporary, 'wx', 0o600)
  try {
    let written: number
    try {
      written = await writeAll(source, file, arrival)
      await file.sync()
    } finally {
      await file.close()
    }
    const made = await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    // Not a rename: that would replace a file which a message may have been given already.
    await link(temporary, target)
    await syncFolders(dirname(target), made === undefined ? dirname(target) : dirname(made))
    return written
  } catch (error) {
    if (isErrno(error, 'EEXIST')) throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_UPLOADED()
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

async function writeAll(source: Readable, file: FileHandle, arrival: Arrival): Promise<number> {
  const { essence, maxBytes, size } = arrival
  const most = Math.min(maxBytes, size ?? maxBytes)
  let written = 0
  let head: Buffer | null = Buffer.alloc(0)
  const checkHead = () => {
    if (head && !canBe(essence, head))
      throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_REFUSED(`The file is not of type ${essence}`)
    head = null
  }
  for await (const chunk of chunks(source, arrival.signal)) {
    written += chunk.length
    if (written > most) throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_TOO_LARGE()
    if (head) head = Buffer.concat([head, chunk.subarray(0, sniffedBytes)])
    if (head && head.length >= sniffedBytes) checkHead()
    await file.appendFile(chunk)
  }
  if (size !== undefined && written !== size)
    throw new chatkitErrors.FST_CHATKIT_UPLOAD_INVALID(`The upload has ${written} bytes, and ${size} were announced`)
  checkHead()
  return written
}

// The source is never destroyed: it is a request that is still to be answered.
async function* chunks(source: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  const iterator: AsyncIterator<Buffer> = source.iterator({ destroyOnReturn: false })
  let stop: (() => void) | undefined
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(new chatkitErrors.FST_CHATKIT_UPLOAD_TOO_SLOW())
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
  })
  stopped.catch(() => undefined)
  const cutOff = (cause: unknown): never => {
    throw new chatkitErrors.FST_CHATKIT_UPLOAD_INVALID('The upload was cut off', { cause })
  }
  try {
    while (true) {
      const next = await Promise.race([iterator.next().catch(cutOff), stopped])
      if (next.done) return
      yield next.value
    }
  } finally {
    if (stop) signal.removeEventListener('abort', stop)
    // Not awaited: it would wait for the chunk that does not come.
    iterator.return?.().catch(() => undefined)
  }
}

/** A new name is on the disk once its folder is; so is a new folder. */
async function syncFolders(from: string, upTo: string): Promise<void> {
  // Windows opens no folders.
  if (process.platform === 'win32') return
  for (let folder = from; ; folder = dirname(folder)) {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
    if (folder === upTo || folder === dirname(folder)) return
  }
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
