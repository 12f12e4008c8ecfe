import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A Markdown file, as it is told to readers: by its path within the folder, with slashes. */
export interface HelpFile {
  path: string
  text: string
  /** SHA-256 of the text. */
  hash: string
}

/** Folders that hold no documents, wherever they are. */
const PASSED_OVER = new Set(['node_modules', 'dist', 'test', 'tests'])

/** A longer file is no document somebody wrote. */
const MAX_BYTES = 1024 * 1024

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url))

/**
 * This project's own documents: a checkout has them where they are written, the published package in `dist/help`.
 */
export function ownDocuments(): string {
  // Installed, this package is in a folder `node_modules`, of a project that may have packages and documents as well.
  const parent = dirname(PACKAGE)
  const checkout = dirname(parent)
  return basename(parent) === 'packages' && existsSync(join(checkout, 'ARCHITECTURE.md'))
    ? checkout
    : join(PACKAGE, 'dist', 'help')
}

/**
 * Every Markdown file of a folder and the folders in it, in an order that does not change. Left out are hidden files and
 * folders, folders of tests and of installed packages, change logs, links, and files above 1 MiB.
 *
 * @throws when the folder cannot be read; a file that goes away meanwhile is left out.
 */
export async function readHelpFiles(folder: string): Promise<HelpFile[]> {
  const files: HelpFile[] = []
  for (const path of await listMarkdown(folder)) {
    const text = await readText(join(folder, path))
    if (text === null) continue
    files.push({ path: path.split(sep).join('/'), text, hash: createHash('sha256').update(text).digest('hex') })
  }
  return files
}

/** Paths of those files, relative to the folder: what is near its top comes first. */
export async function listMarkdown(folder: string, within = ''): Promise<string[]> {
  const entries = await readdir(join(folder, within), { withFileTypes: true })
  entries.sort((a, b) => Number(a.isDirectory()) - Number(b.isDirectory()) || rank(a.name, b.name))
  const paths: string[] = []
  for (const entry of entries) {
    const { name } = entry
    if (name.startsWith('.')) continue
    if (entry.isDirectory() && !PASSED_OVER.has(name)) paths.push(...(await listMarkdown(folder, join(within, name))))
    else if (entry.isFile() && /\.(md|markdown)$/i.test(name) && !/^changelog\./i.test(name))
      paths.push(join(within, name))
  }
  return paths
}

// What a folder is about stands in its README.
function rank(a: string, b: string): number {
  const readme = (name: string) => Number(!/^readme\./i.test(name))
  return readme(a) - readme(b) || (a < b ? -1 : 1)
}

async function readText(path: string): Promise<string | null> {
  try {
    if ((await stat(path)).size > MAX_BYTES) return null
    // Postgres has no NUL in text.
    return (await readFile(path, 'utf8')).replaceAll('\0', '').replaceAll('\r\n', '\n')
  } catch {
    return null
  }
}
