import type { FastifyPluginAsync, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import { withFreshPreviews } from '../attachment/fresh-previews.ts'
import type { LocalAttachmentStore } from '../attachment/local.ts'
import { chatkitErrors, isChatKitError } from '../errors.ts'
import { attachment } from '../protocol/attachment.ts'
import { type IdFactory, newId } from '../protocol/ids.ts'
import { attachmentToClient } from '../protocol/to-client.ts'
import { guardedThreads } from '../store/guarded.ts'
import type { OwnedThreads, ThreadStore } from '../store/thread-store.ts'
import { contentDisposition } from './content-disposition.ts'
import { formFile } from './form-file.ts'
import { ownerOf } from './owner.ts'

/** What `attachmentRoutes` are told. */
export type AttachmentRoutesOptions = {
  /** Where the bytes go. */
  store: LocalAttachmentStore
  /** The same as the chatkit plugin's. */
  threadStore: ThreadStore
  /** Where the routes are. @default the path of the store's `url` */
  path?: string
  /** How long an upload may take. @default 10 minutes */
  uploadTimeoutMs?: number
  /** Direct upload (`uploadStrategy: { type: 'direct', uploadUrl }`). Without it, files come to signed addresses only. */
  direct?: {
    /** Hooks of that route. A guard belongs into `onRequest`: here no address is signed. */
    onRequest?: RouteShorthandOptions['onRequest']
    preParsing?: RouteShorthandOptions['preParsing']
    /** `config` of that route, for other plugins. */
    config?: RouteShorthandOptions['config']
    /** Whose attachments these are; the same as the chatkit plugin's. */
    owner(request: FastifyRequest): string | Promise<string>
    /** @default ids of 96 random bits */
    newId?: IdFactory
  }
}

type Settings = { store: LocalAttachmentStore; threadsOf: (owner: string) => OwnedThreads; uploadTimeoutMs: number }

/**
 * Adds the routes of a local attachment store: `PUT …/upload` and `GET …/file`, which a signature in the address guards, and,
 * with `direct`, `POST` of a form with a `file`, which your own hooks guard.
 *
 * Not wrapped in fastify-plugin: the parsers it takes away for itself stay in the rest of the application.
 *
 * @throws TypeError for an option that cannot be meant.
 */
export const attachmentRoutes: FastifyPluginAsync<AttachmentRoutesOptions> = async (app, options) => {
  const { store, threadStore, direct, uploadTimeoutMs = 10 * 60 * 1000 } = options
  if (typeof store?.door?.receive !== 'function') throw new TypeError('store must be made by localAttachmentStore')
  if (typeof threadStore?.forOwner !== 'function') throw new TypeError('threadStore must be a thread store')
  if (direct && typeof direct.owner !== 'function') throw new TypeError('direct.owner must be a function')
  if (!Number.isInteger(uploadTimeoutMs) || uploadTimeoutMs < 1 || uploadTimeoutMs > 2 ** 31 - 1)
    throw new TypeError('uploadTimeoutMs must be a whole number of milliseconds')
  const path = (options.path ?? store.door.path()).replace(/\/+$/, '')
  const settings: Settings = {
    store,
    threadsOf: owner => withFreshPreviews(guardedThreads(threadStore.forOwner(owner)), store, owner),
    uploadTimeoutMs
  }
  // Bodies are read here, whatever they say they are, and whatever parsers the application has.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  const signed = { logSerializers: { req: withoutQuery } }
  app.put(`${path}/upload`, signed, upload(settings))
  app.get(`${path}/file`, signed, download(settings))
  if (direct) {
    const { onRequest, preParsing, config } = direct
    const hooks = Object.entries({ onRequest, preParsing, config }).filter(([, value]) => value !== undefined)
    app.post(path || '/', Object.fromEntries(hooks), receiveForm(settings, direct))
  }
}

/** The second phase: the bytes of a file that was announced. */
function upload({ store, threadsOf, uploadTimeoutMs }: Settings) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    await closingOnFailure(reply, async () => {
      const file = store.door.open('upload', tokenOf(request))
      const length = Number(request.headers['content-length'] ?? file.size)
      if (length > file.size) throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_TOO_LARGE()
      if (length !== file.size)
        throw new chatkitErrors.FST_CHATKIT_UPLOAD_INVALID(`${file.size} bytes were announced, and ${length} come`)
      const known = await threadsOf(file.owner).findAttachment(file.id)
      if (!known) throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_NOT_FOUND()
      if (known.thread_id !== undefined) throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_UPLOADED()
      await store.door.receive(file, request.raw, AbortSignal.timeout(uploadTimeoutMs))
    })
    return reply.code(204).send()
  }
}

/** A file that was announced by nobody: stored, recorded, and told like one that was. */
function receiveForm(
  { store, threadsOf, uploadTimeoutMs }: Settings,
  direct: NonNullable<AttachmentRoutesOptions['direct']>
) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const owner = await ownerOf(request, direct)
    return await closingOnFailure(reply, async () => {
      const threads = threadsOf(owner)
      const signal = AbortSignal.timeout(uploadTimeoutMs)
      const { name, mimeType, stream } = await formFile(request.raw, signal)
      const id = (direct.newId ?? newId)('attachment')
      const file = { owner, id, name, mimeType }
      store.door.describe(file)
      const bytes = await store.door.receive(file, stream, signal)
      const described = store.door.describe(file, bytes)
      const type = described.preview_url === undefined ? 'file' : 'image'
      const record = attachment.parse({ ...described, id, name, mime_type: mimeType, type })
      try {
        await threads.saveAttachment(record)
      } catch (error) {
        await store.delete(record, owner)
        throw error
      }
      return attachmentToClient(record)
    })
  }
}

/** The bytes, to show or to keep; a browser opens none of them as a page of ours. */
function download({ store }: Settings) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { owner, id, name, mimeType, expires } = store.door.open('read', tokenOf(request))
    const { size, stream } = await store.read({ id }, owner).catch((cause: unknown) => {
      if (isChatKitError(cause)) throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_NOT_FOUND()
      throw new chatkitErrors.FST_CHATKIT_ATTACHMENTS_UNAVAILABLE({ cause })
    })
    reply.raw.once('close', () => stream.destroy())
    return reply
      .headers({
        'content-type': mimeType,
        'content-length': size,
        'content-disposition': contentDisposition(name),
        'content-security-policy': "sandbox; default-src 'none'",
        'x-content-type-options': 'nosniff',
        // The front end is in a frame of another origin; the address is the key.
        'cross-origin-resource-policy': 'cross-origin',
        'referrer-policy': 'no-referrer',
        'cache-control': `private, max-age=${Math.max(0, expires - Math.ceil(Date.now() / 1000))}, immutable`
      })
      .send(stream)
  }
}

function tokenOf({ query }: FastifyRequest): string {
  const token = typeof query === 'object' && query !== null && 'token' in query ? query.token : undefined
  if (typeof token !== 'string') throw new chatkitErrors.FST_CHATKIT_ADDRESS_INVALID()
  return token
}

// What comes after a refusal is not read, so the connection cannot be used again.
async function closingOnFailure<Result>(reply: FastifyReply, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    reply.header('connection', 'close')
    if (isChatKitError(cause)) throw cause
    throw new chatkitErrors.FST_CHATKIT_ATTACHMENTS_UNAVAILABLE({ cause })
  }
}

// The query of these addresses opens them, and a log is no place for a key.
function withoutQuery({ method, url, host, ip, socket }: FastifyRequest) {
  return { method, url: url.split('?')[0], host, remoteAddress: ip, remotePort: socket?.remotePort }
}
