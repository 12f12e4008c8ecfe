import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { CHAT_PATH, SIGN_IN_PATH } from './addresses.ts'
import type { AttachmentLimits } from './attachments.ts'
import type { Config } from './config.ts'
import { devPage } from './dev/dev-page.ts'
import { elementPage } from './element.ts'
import { PAGE_PATH, type Page, type Pages, readPages } from './page-files.ts'

export interface PageOptions {
  config: Pick<Config, 'authUrl' | 'signIn' | 'domainKey' | 'production'>
  /** What the page may attach; `null`: nothing. */
  attachments: AttachmentLimits | null
  /** Answers `/` to whoever is no browser. */
  about: object
}

/**
 * What the page may do: run its own scripts, which make no HTML of any text, and talk to this host. Nothing inline, nothing from
 * elsewhere; nobody may put it into a frame.
 */
const STRICT_POLICY = [
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
  'content-security-policy': STRICT_POLICY,
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()'
} as const

/** The page on `/`, those that are switched on, and the files they need. Others than browsers get a few lines of JSON on `/`. */
export const page: FastifyPluginAsync<PageOptions> = async (app, options) => {
  const settings = settingsOf(options)
  const pages: Page[] = [{ path: '/', template: 'index.html', folder: '', settings, headers: {} }]
  if (options.config.domainKey !== null) pages.push(elementPage(options.config.domainKey, settings))
  if (!options.config.production) pages.push(devPage(settings))

  // Read when they are first asked for: a host may start, and run, without ever showing a page.
  let reading: Promise<Pages> | null = null
  const read = () => {
    reading ??= readPages(pages).catch(error => {
      reading = null
      throw error
    })
    return reading
  }
  const open = { config: { auth: false } } as const

  for (const { path, headers } of pages)
    app.get(path, open, async (request, reply) => {
      if (path === '/') {
        reply.vary('Accept')
        if (!request.headers.accept?.includes('text/html')) return options.about
      }
      const { documents, version } = await read()
      reply
        .headers({ ...PAGE_HEADERS, ...headers })
        .header('cache-control', 'no-cache')
        .header('etag', `"${version}"`)
      if (isKnown(request, version)) return reply.status(304).send()
      return reply.type('text/html; charset=utf-8').send(documents.get(path))
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

/** What a page must know: it is public. */
function settingsOf({ config, attachments }: PageOptions): object {
  return {
    chat: CHAT_PATH,
    signIn: config.signIn ? SIGN_IN_PATH : null,
    signInElsewhere: config.signIn ? null : config.authUrl,
    attachments
  }
}
