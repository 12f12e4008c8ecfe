import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { CHAT_PATH, SIGN_IN_PATH } from './addresses.ts'
import type { AttachmentLimits } from './attachments.ts'
import type { Config } from './config.ts'

export interface PageOptions {
  config: Pick<Config, 'authUrl' | 'signIn'>
  /** What the page may attach; `null`: nothing. */
  attachments: AttachmentLimits | null
  /** Answers `/` to whoever is no browser. */
  about: object
}

/** Where the files of the page are: below it a folder named after what is in them, so that a browser keeps them for good. */
const PAGE_PATH = '/page'

/**
 * What the page may do: run its own scripts, which make no HTML of any text, and talk to this host. Nothing inline, nothing from
 * elsewhere; nobody may put it into a frame.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'"
].join('; ')

const PAGE_HEADERS = {
  'content-security-policy': POLICY,
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()'
} as const

const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml'
}

interface Page {
  html: string
  /** Of the document and of everything it loads. */
  version: string
  files: ReadonlyMap<string, { type: string; bytes: Buffer }>
}

/** The page on `/`, and the files it needs. Others than browsers get a few lines of JSON there. */
export const page: FastifyPluginAsync<PageOptions> = async (app, options) => {
  // Read when it is first asked for: a host may start, and run, without ever showing its page.
  let reading: Promise<Page> | null = null
  const read = () => {
    reading ??= readPage(settingsOf(options)).catch(error => {
      reading = null
      throw error
    })
    return reading
  }
  const open = { config: { auth: false } } as const

  app.get('/', open, async (request, reply) => {
    reply.vary('Accept')
    if (!request.headers.accept?.includes('text/html')) return options.about
    const { html, version } = await read()
    reply.headers(PAGE_HEADERS).header('cache-control', 'no-cache').header('etag', `"${version}"`)
    if (isKnown(request, version)) return reply.status(304).send()
    return reply.type('text/html; charset=utf-8').send(html)
  })

  app.get<{ Params: { version: string; '*': string } }>(`${PAGE_PATH}/:version/*`, open, async (request, reply) => {
    const { version, files } = await read()
    const { version: wanted, '*': name } = request.params
    const file = files.get(name)
    // A page of another version must not be given a mixture of both.
    if (wanted !== version || file === undefined) return reply.callNotFound()
    reply
      .headers(PAGE_HEADERS)
      .header('cache-control', 'public, max-age=31536000, immutable')
      .header('etag', `"${version}"`)
    if (isKnown(request, version)) return reply.status(304).send()
    return sendFile(reply, file)
  })
}

function sendFile(reply: FastifyReply, { type, bytes }: { type: string; bytes: Buffer }): FastifyReply {
  return reply.type(type).send(bytes)
}

/** Whether a browser has this version already (RFC 9110 §13.1.2). */
function isKnown(request: FastifyRequest, version: string): boolean {
  const tags = request.headers['if-none-match'] ?? ''
  return tags.split(',').some(tag => tag.trim().replace(/^W\//, '') === `"${version}"`)
}

/** What the page must know: it is public. */
function settingsOf({ config, attachments }: PageOptions): object {
  return {
    chat: CHAT_PATH,
    signIn: config.signIn ? SIGN_IN_PATH : null,
    signInElsewhere: config.signIn ? null : config.authUrl,
    attachments
  }
}

// Its own source is TypeScript, compiled with the package; so is the client's. Named so that it is found from source as well.
const sources = {
  own: new URL('../page/', import.meta.url),
  compiled: new URL('../dist/page/', import.meta.url),
  client: new URL('../../dist/client/', import.meta.resolve('fastify-chatkit/client')),
  marked: new URL(import.meta.resolve('marked'))
}

async function readPage(settings: object): Promise<Page> {
  const files = new Map<string, { type: string; bytes: Buffer }>()
  const add = async (name: string, from: URL) => {
    const type = TYPES[name.split('.').at(-1) ?? '']
    if (type !== undefined) files.set(name, { type, bytes: await readFile(from) })
  }
  await add('page.css', new URL('page.css', sources.own))
  await add('icon.svg', new URL('icon.svg', sources.own))
  await add('vendor/marked.js', sources.marked)
  for (const [prefix, folder] of [
    ['', sources.compiled],
    ['client/', sources.client]
  ] as const)
    for (const name of await namesIn(folder))
      if (name.endsWith('.js')) await add(`${prefix}${name}`, new URL(name, folder))

  const template = await readFile(new URL('index.html', sources.own), 'utf8')
  const hash = createHash('sha256').update(template).update(JSON.stringify(settings))
  for (const [name, { bytes }] of files) hash.update(name).update(bytes)
  const version = hash.digest('base64url').slice(0, 22)
  // Modules name one another, level by level: told of all at once, a browser need not find out one after the other.
  const preload = /^.*\{\{module\}\}.*\n/m
  const modules = [...files.keys()].filter(name => name.endsWith('.js'))
  const html = template
    .replace(preload, line => modules.map(name => line.replace('{{module}}', name)).join(''))
    .replaceAll('{{files}}', `${PAGE_PATH}/${version}`)
    .replaceAll('{{settings}}', () => escapeAttribute(JSON.stringify(settings)))
  return { html, version, files }
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
