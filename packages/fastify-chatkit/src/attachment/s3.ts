import { Readable } from 'node:stream'
import { chatkitErrors } from '../errors.ts'
import type { Attachment } from '../protocol/attachment.ts'
import { type Acceptance, acceptance, essenceOf } from './acceptance.ts'
import type { AttachmentStore } from './attachment-store.ts'
import { type S3Client, type S3ClientOptions, type S3Credentials, s3Client } from './s3-client.ts'
import { canBe, isShowable, sniffedBytes } from './sniff.ts'

export type { S3Credentials }

export type S3AttachmentStoreOptions = Acceptance &
  S3ClientOptions & {
    /** What keys begin with; nothing else may be kept below it. @default "attachments/" */
    prefix?: string
    /** How long an upload may begin after its file was announced. @default 15 minutes */
    uploadTtlMs?: number
    /** How long an image or a download can be fetched, at least; at most twice as long. @default 1 hour */
    readTtlMs?: number
    /**
     * Refuses a second upload to one address (`If-None-Match: *`), so that bytes which were checked stay as they are. Amazon S3 and R2
     * document it; turn it off for a server that does not know it. @default true
     */
    writeOnce?: boolean
    /** @default the time of day */
    now?(): Date
  }

/** An attachment store behind the S3 protocol. */
export interface S3AttachmentStore extends AttachmentStore {
  verify(attachment: Attachment, owner: string): Promise<void>
  previewUrl(attachment: Attachment, owner: string): Promise<string | null>
  collect: NonNullable<AttachmentStore['collect']>
  read: NonNullable<AttachmentStore['read']>
  /** A presigned address the bytes can be downloaded from, for `readTtlMs`. */
  downloadUrl(attachment: Pick<Attachment, 'id'>, owner: string): Promise<string>
}

/** The longest a presigned address can last (Amazon S3, "Authenticating Requests: Using Query Parameters"). */
const longestMs = 7 * 24 * 60 * 60 * 1000

/**
 * Keeps attachments in a bucket: Amazon S3, Cloudflare R2, MinIO and others. Browsers send and fetch the bytes by presigned addresses;
 * none of them pass through this server.
 *
 * @throws TypeError for an option that cannot be meant.
 */
export function s3AttachmentStore(options: S3AttachmentStoreOptions): S3AttachmentStore {
  const { prefix = 'attachments/', writeOnce = true } = options
  const { uploadTtlMs = 15 * 60 * 1000, readTtlMs = 60 * 60 * 1000 } = options
  const now = () => options.now?.() ?? new Date()
  if (!Number.isInteger(uploadTtlMs) || uploadTtlMs < 1000 || uploadTtlMs > longestMs)
    throw new TypeError('uploadTtlMs must be a whole number from a second to seven days')
  if (!Number.isInteger(readTtlMs) || readTtlMs < 1000 || readTtlMs > longestMs / 2)
    throw new TypeError('readTtlMs must be a whole number from a second to half of seven days')
  if (!/^([a-zA-Z0-9_-]+\/)*$/.test(prefix))
    throw new TypeError('prefix must end with a slash, and have letters, digits, dashes and underscores in between')
  const { check } = acceptance(options)
  const client = s3Client(options)
  const keyOf = (owner: string, id: string) => `${prefix}${encodeName(owner)}/${encodeName(id)}`

  const readUrl = async (owner: string, id: string) => {
    // Signed as of the beginning of this `readTtlMs`: the same address until its end, so that browsers keep what they have.
    const at = new Date(Math.floor(now().getTime() / readTtlMs) * readTtlMs)
    const expiresSeconds = Math.floor((2 * readTtlMs) / 1000)
    return await client.presign({ method: 'GET', key: keyOf(owner, id), expiresSeconds, at })
  }

  return {
    async create({ id, owner, name, size, mimeType }) {
      check({ name, mimeType, size })
      const essence = essenceOf(mimeType)
      const headers = { 'content-type': essence, ...(writeOnce ? { 'if-none-match': '*' } : {}) }
      const url = await client.presign({
        method: 'PUT',
        key: keyOf(owner, id),
        // The length is signed as well, so that no other can be sent. Browsers add it by themselves.
        headers: { ...headers, 'content-length': String(size) },
        expiresSeconds: Math.floor(uploadTtlMs / 1000),
        at: now()
      })
      return {
        ...(isShowable(essence) ? { preview_url: await readUrl(owner, id) } : {}),
        upload_descriptor: { url, method: 'PUT', headers },
        metadata: { store: 's3', bytes: size }
      }
    },
    async delete({ id }, owner) {
      await remove(client, keyOf(owner, id))
    },
    async verify({ id, mime_type, metadata }, owner) {
      const { size, type, head } = await beginningOf(client, keyOf(owner, id))
      if (typeof metadata?.bytes === 'number' && metadata.bytes !== size)
        throw new chatkitErrors.FST_CHATKIT_UPLOAD_INVALID('The file is not as long as was announced')
      const essence = essenceOf(mime_type)
      if ((type !== null && type !== essence) || !canBe(essence, head))
        throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_REFUSED(`The file is not of type ${essence}`)
    },
    async previewUrl({ id, metadata }, owner) {
      return metadata?.store === 's3' ? await readUrl(owner, id) : null
    },
    async collect(before, isKnown) {
      let deleted = 0
      for await (const { key, modified } of list(client, prefix)) {
        const [owner, id, ...rest] = key.slice(prefix.length).split('/').map(decodeName)
        // What somebody else put there is not ours to delete.
        if (!owner || !id || rest.length > 0 || keyOf(owner, id) !== key || modified >= before) continue
        if (await isKnown(owner, id)) continue
        await remove(client, key)
        deleted += 1
      }
      return deleted
    },
    async read({ id }, owner) {
      const response = await client.send('GET', keyOf(owner, id), { endless: true })
      if (response.status === 404)
        throw await discard(response, new chatkitErrors.FST_CHATKIT_ATTACHMENT_NOT_UPLOADED())
      if (!response.ok || !response.body) throw await unexpected(response)
      return { size: Number(response.headers.get('content-length')), stream: Readable.fromWeb(response.body) }
    },
    downloadUrl: ({ id }, owner) => readUrl(owner, id)
  }
}

// One request for all there is to know: the length, the type, and what the file begins with.
async function beginningOf(
  client: S3Client,
  key: string
): Promise<{ size: number; type: string | null; head: Buffer }> {
  const response = await client.send('GET', key, { headers: { range: `bytes=0-${sniffedBytes - 1}` } })
  const type = response.headers.get('content-type')
  if (response.status === 404) throw await discard(response, new chatkitErrors.FST_CHATKIT_ATTACHMENT_NOT_UPLOADED())
  // There is no first byte: the file is empty.
  if (response.status === 416) return await discard(response, { size: 0, type: null, head: Buffer.alloc(0) })
  if (!response.ok) throw await unexpected(response)
  const total = response.headers.get('content-range')?.split('/')[1] ?? response.headers.get('content-length')
  return { size: Number(total), type: type && essenceOf(type), head: await firstBytes(response) }
}

// A server may know no ranges, and send all of it.
async function firstBytes(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= sniffedBytes) break
  }
  return Buffer.concat(chunks).subarray(0, sniffedBytes)
}

async function remove(client: S3Client, key: string): Promise<void> {
  const response = await client.send('DELETE', key)
  if (!response.ok && response.status !== 404) throw await unexpected(response)
  await response.body?.cancel()
}

async function* list(client: S3Client, prefix: string): AsyncGenerator<{ key: string; modified: Date }> {
  for (let token = ''; ; ) {
    const next: Record<string, string> = token ? { 'continuation-token': token } : {}
    const query = { 'list-type': '2', 'encoding-type': 'url', prefix, ...next }
    const response = await client.send('GET', '', { query })
    if (!response.ok) throw await unexpected(response)
    const xml = await response.text()
    for (const [, entry = ''] of xml.matchAll(/<Contents>(.*?)<\/Contents>/gs))
      yield { key: decodeURIComponent(textOf(entry, 'Key')), modified: new Date(textOf(entry, 'LastModified')) }
    if (textOf(xml, 'IsTruncated') !== 'true') return
    token = textOf(xml, 'NextContinuationToken')
    if (!token) throw new Error('The list of the bucket goes on without saying where')
  }
}

function textOf(xml: string, name: string): string {
  const text = xml.match(new RegExp(`<${name}>([^<]*)</${name}>`))?.[1] ?? ''
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&')
}

/** The server's own words, for the log: neither keys nor signatures are in them. */
async function unexpected(response: Response): Promise<Error> {
  const code = textOf((await response.text()).slice(0, 10_000), 'Code')
  return new Error(`The bucket answered ${response.status}${code && ` ${code}`}`)
}

async function discard<Result>(response: Response, result: Result): Promise<Result> {
  await response.body?.cancel()
  return result
}

// A name in a key: characters that need no encoding anywhere stay, so that keys can be read. Keys have upper and lower case.
function encodeName(text: string): string {
  return text.replaceAll(/[^a-zA-Z0-9_-]/gu, character =>
    [...Buffer.from(character)].map(byte => `.${byte.toString(16).padStart(2, '0')}`).join('')
  )
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('.', '%'))
  } catch {
    return ''
  }
}
