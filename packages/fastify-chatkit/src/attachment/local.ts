import { rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { chatkitErrors } from '../errors.ts'
import type { Attachment } from '../protocol/attachment.ts'
import { type Acceptance, acceptance, essenceOf } from './acceptance.ts'
import { type Claims, type Purpose, signedAddresses } from './address.ts'
import type { AttachmentStore, CreatedAttachment } from './attachment-store.ts'
import { localFiles } from './local-files.ts'
import { receiveFile } from './receive.ts'
import { isShowable } from './sniff.ts'

/** What `localAttachmentStore` is told. Times are in milliseconds. */
export type LocalAttachmentStoreOptions = Acceptance & {
  /** Where the files are. It is made when it is not there; nobody else may write to it. */
  directory: string
  /**
   * The address, as browsers know it, at which `attachmentRoutes` answer: `https://app.example/support/attachments`.
   * A function is asked each time.
   */
  url: string | (() => string)
  /** Signs addresses; at least 32 characters. Of several the first one signs, and all are believed. */
  secret: string | readonly string[]
  /** How long an upload may begin after its file was announced. @default 15 minutes */
  uploadTtlMs?: number
  /** How long an image or a download can be fetched, at least; at most twice as long. @default 1 hour */
  readTtlMs?: number
  /** @default the time of day */
  now?(): Date
}

/** An attachment store on a local disk. */
export interface LocalAttachmentStore extends AttachmentStore {
  create(request: Parameters<AttachmentStore['create']>[0]): Promise<CreatedAttachment>
  verify(attachment: Attachment, owner: string): Promise<void>
  previewUrl(attachment: Attachment, owner: string): string | null
  collect: NonNullable<AttachmentStore['collect']>
  read: NonNullable<AttachmentStore['read']>
  /** A signed address the bytes can be downloaded from, for `readTtlMs`. */
  downloadUrl(attachment: Attachment, owner: string): string
  /** The rest is for `attachmentRoutes`. */
  readonly door: LocalDoor
}

/** What `attachmentRoutes` ask of a local store. */
export type LocalDoor = {
  /** Path of the store's URL. */
  path(): string
  /** @throws FST_CHATKIT_ADDRESS_INVALID, FST_CHATKIT_ADDRESS_EXPIRED. */
  open(purpose: Purpose, token: string): Claims
  /** @throws as `receiveFile` does. @returns how many bytes arrived. */
  receive(
    file: Pick<Claims, 'owner' | 'id' | 'mimeType'> & { size?: number },
    source: Readable,
    signal: AbortSignal
  ): Promise<number>
  /** What becomes of a file that was received unannounced. @throws FST_CHATKIT_ATTACHMENT_REFUSED. */
  describe(file: { owner: string; id: string; name: string; mimeType: string }, bytes?: number): CreatedAttachment
}

/**
 * Keeps attachments on a local disk. Register `attachmentRoutes` with it: they take the bytes and give them out.
 *
 * @throws TypeError for an option that cannot be meant.
 */
export function localAttachmentStore(options: LocalAttachmentStoreOptions): LocalAttachmentStore {
  const { uploadTtlMs = 15 * 60 * 1000, readTtlMs = 60 * 60 * 1000 } = options
  const now = () => options.now?.() ?? new Date()
  if (typeof options.directory !== 'string' || options.directory === '')
    throw new TypeError('directory must be the path of a folder')
  for (const [name, value] of Object.entries({ uploadTtlMs, readTtlMs }))
    if (!Number.isInteger(value) || value < 1000) throw new TypeError(`${name} must be 1000 milliseconds or more`)
  const { check, maxBytes } = acceptance(options)
  const addresses = signedAddresses(checkedSecrets(options.secret), now)
  const url = checkedUrl(options.url)
  const files = localFiles(options.directory)

  const readUrl = ({ id, name, mime_type }: Attachment, owner: string) => {
    // The same address within a `readTtlMs`, so that a browser need not fetch an image again each time a thread is opened.
    const expires = Math.ceil(((Math.floor(now().getTime() / readTtlMs) + 2) * readTtlMs) / 1000)
    const token = addresses.sign('read', { owner, id, name, mimeType: essenceOf(mime_type), size: 0, expires })
    return `${url()}/file?token=${token}`
  }
  const describe: LocalDoor['describe'] = ({ owner, id, name, mimeType }, bytes) => {
    const metadata = { store: 'local', ...(bytes === undefined ? {} : { bytes }) }
    if (!isShowable(essenceOf(mimeType))) return { metadata }
    return { metadata, preview_url: readUrl({ id, name, mime_type: mimeType, type: 'file' }, owner) }
  }

  return {
    async create({ id, owner, name, size, mimeType }) {
      check({ name, mimeType, size })
      const essence = essenceOf(mimeType)
      const expires = Math.ceil((now().getTime() + uploadTtlMs) / 1000)
      const token = addresses.sign('upload', { owner, id, name, mimeType: essence, size, expires })
      return {
        ...describe({ owner, id, name, mimeType }, size),
        upload_descriptor: {
          url: `${url()}/upload?token=${token}`,
          method: 'PUT',
          headers: { 'content-type': essence }
        }
      }
    },
    async delete({ id }, owner) {
      await files.delete(owner, id)
    },
    async verify({ id, metadata }, owner) {
      const size = await files.sizeOf(owner, id)
      if (size === null) throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_NOT_UPLOADED()
      if (typeof metadata?.bytes === 'number' && metadata.bytes !== size)
        throw new chatkitErrors.FST_CHATKIT_UPLOAD_INVALID('The file is not as long as was announced')
    },
    previewUrl(attachment, owner) {
      return attachment.metadata?.store === 'local' ? readUrl(attachment, owner) : null
    },
    async collect(before, isKnown) {
      let deleted = 0
      for await (const { path, of } of files.olderThan(before)) {
        if (of && (await isKnown(of.owner, of.id))) continue
        await rm(path, { force: true })
        deleted += 1
      }
      return deleted
    },
    async read({ id }, owner) {
      const found = await files.read(owner, id)
      if (!found) throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_NOT_UPLOADED()
      return found
    },
    downloadUrl: readUrl,
    door: {
      path: () => new URL(url()).pathname,
      open: addresses.open,
      describe(file, bytes) {
        check(file)
        return describe(file, bytes)
      },
      async receive({ owner, id, mimeType, size }, source, signal) {
        const target = files.pathOf(owner, id)
        const essence = essenceOf(mimeType)
        return await receiveFile(source, { target, incoming: files.incoming, essence, maxBytes, size, signal })
      }
    }
  }
}

function checkedSecrets(secret: string | readonly string[]): string[] {
  const secrets = typeof secret === 'string' ? [secret] : [...secret]
  if (secrets.length === 0 || secrets.some(one => typeof one !== 'string' || one.length < 32))
    throw new TypeError('secret must have at least 32 characters')
  return secrets
}

function checkedUrl(url: string | (() => string)): () => string {
  const check = (text: string) => {
    const { protocol, search, hash } = new URL(text)
    if (!/^https?:$/.test(protocol) || search || hash)
      throw new TypeError('url must be an http or https address without query or fragment')
    return text.replace(/\/+$/, '')
  }
  if (typeof url === 'function') return () => check(url())
  const checked = check(url)
  return () => checked
}
