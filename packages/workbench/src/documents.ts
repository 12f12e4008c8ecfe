// pnpm documents – makes the documents anew that are drawn from what runs
import { readFileSync, writeFileSync } from 'node:fs'
import { type Command, Refusal, readArgs } from './command.ts'
import type { MadeDocument } from './document/document.ts'
import * as list from './document/documents.ts'

/** The repository's root. */
const root = new URL('../../../', import.meta.url)

/** Every document that is made. */
export const madeDocuments: readonly MadeDocument[] = Object.values(list)

/** Writes those that are not as they should be, and says which. */
export const documents: Command = async (args, { print }) => {
  const { words } = readArgs(args, [], 'pnpm documents')
  if (words.length > 0) throw new Refusal('Usage: pnpm documents')
  for (const { path, make } of madeDocuments) {
    const made = await make()
    if (made === committed(path)) continue
    writeFileSync(new URL(path, root), made)
    print(`${path} is made anew`)
  }
}

/** What a document says now; nothing when there is none. */
export function committed(path: string): string {
  try {
    return readFileSync(new URL(path, root), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
