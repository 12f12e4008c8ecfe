import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** A document and what it loads. */
export interface Page {
  /** Where it is served. */
  path: string
  /** Its file below `page/`. `{{files}}` and `{{settings}}` stand in it for where the files are and what is told to its script. */
  template: string
  /** The folder below `page/` that has its own scripts and styles; empty for `page/` itself. */
  folder: string
  /** Told to its script, in the document: public. */
  settings: object
  /** Beside those of every page, or in place of them. */
  headers: Record<string, string>
}

/** Documents as they are sent, and all they load. */
export interface Pages {
  /** By path. */
  documents: ReadonlyMap<string, string>
  /** Of all of it together. */
  version: string
  files: ReadonlyMap<string, { type: string; bytes: Buffer }>
}

/** Where the files of the pages are: below it a folder named after what is in them, so that a browser keeps them for good. */
export const PAGE_PATH = '/page'

const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml'
}

// Its own source is TypeScript, compiled with the package; so is the client's. Named so that it is found from source as well.
const sources = {
  own: new URL('../page/', import.meta.url),
  compiled: new URL('../dist/page/', import.meta.url),
  client: new URL('../../dist/client/', import.meta.resolve('fastify-chatkit/client')),
  marked: new URL(import.meta.resolve('marked'))
}

/** @throws Error when they were not built. */
export async function readPages(pages: readonly Page[]): Promise<Pages> {
  const files = new Map<string, { type: string; bytes: Buffer }>()
  const add = async (name: string, from: URL) => {
    const type = TYPES[name.split('.').at(-1) ?? '']
    if (type !== undefined) files.set(name, { type, bytes: await readFile(from) })
  }
  const addAll = async (prefix: string, folder: URL, ending: string) => {
    for (const name of await namesIn(new URL(prefix, folder)))
      if (name.endsWith(ending)) await add(`${prefix}${name}`, new URL(`${prefix}${name}`, folder))
  }
  await add('icon.svg', new URL('icon.svg', sources.own))
  await add('vendor/marked.js', sources.marked)
  for (const { folder } of pages) {
    const prefix = folder === '' ? '' : `${folder}/`
    await addAll(prefix, sources.own, '.css')
    await addAll(prefix, sources.compiled, '.js')
  }
  for (const name of await namesIn(sources.client))
    if (name.endsWith('.js')) await add(`client/${name}`, new URL(name, sources.client))

  const templates = await Promise.all(
    pages.map(async page => ({ ...page, text: await readFile(new URL(page.template, sources.own), 'utf8') }))
  )
  const hash = createHash('sha256')
  for (const { text, settings, headers } of templates) hash.update(text).update(JSON.stringify([settings, headers]))
  for (const [name, { bytes }] of files) hash.update(name).update(bytes)
  const version = hash.digest('base64url').slice(0, 22)
  // Modules name one another, level by level: told of all at once, a browser need not find out one after the other.
  const preload = /^.*\{\{module\}\}.*\n/m
  const others = pages.flatMap(({ folder }) => (folder === '' ? [] : [`${folder}/`]))
  const modules = [...files.keys()].filter(
    name => name.endsWith('.js') && !others.some(folder => name.startsWith(folder))
  )
  const documents = new Map(
    templates.map(({ path, text, settings }) => [
      path,
      text
        .replace(preload, line => modules.map(name => line.replace('{{module}}', name)).join(''))
        .replaceAll('{{files}}', `${PAGE_PATH}/${version}`)
        .replaceAll('{{settings}}', () => escapeAttribute(JSON.stringify(settings)))
    ])
  )
  return { documents, version, files }
}

async function namesIn(folder: URL): Promise<string[]> {
  try {
    return (await readdir(folder)).toSorted()
  } catch (cause) {
    throw new Error(`The page is not built: ${fileURLToPath(folder)} is missing; run npm run build`, { cause })
  }
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}
