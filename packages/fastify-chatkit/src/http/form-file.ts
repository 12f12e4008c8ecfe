import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { Busboy } from '@fastify/busboy'
import { chatkitErrors } from '../errors.ts'

/** A file of a form, its bytes still to be read. */
export type FormFile = { name: string; mimeType: string; stream: Readable }

// The front end sends one file and nothing else. Others are passed over, so they may be few and small.
const limits = { files: 1, fields: 16, parts: 32, fieldSize: 4096, headerPairs: 32, headerSize: 16 * 1024 }

/**
 * The `file` of a form (`multipart/form-data`, RFC 7578), read as it arrives. Its name has lost its folders, if it had any.
 *
 * @param signal ends waiting for the file to begin.
 * @throws FST_CHATKIT_UPLOAD_INVALID for a form without such a file, or one that cannot be read; FST_CHATKIT_UPLOAD_TOO_SLOW.
 */
export async function formFile(request: IncomingMessage, signal: AbortSignal): Promise<FormFile> {
  const parser = makeParser(request)
  let slow: () => void = () => undefined
  const found = new Promise<FormFile>((resolve, reject) => {
    let stream: Readable | undefined
    const fail = (cause?: unknown) => {
      const error = new chatkitErrors.FST_CHATKIT_UPLOAD_INVALID('The form cannot be read', { cause })
      request.unpipe(parser)
      stream?.destroy(error)
      reject(error)
    }
    parser.on('file', (field, file, name, _encoding, mimeType) => {
      file.on('error', () => undefined)
      if (field !== 'file') {
        file.resume()
        return
      }
      stream = file
      // Browsers write a quotation mark so (HTML, "multipart/form-data encoding algorithm").
      resolve({ name: name?.replaceAll('%22', '"') ?? '', mimeType, stream: file })
    })
    parser.on('finish', () => reject(new chatkitErrors.FST_CHATKIT_UPLOAD_INVALID('The form has no file')))
    parser.on('error', fail)
    slow = () => {
      request.unpipe(parser)
      reject(new chatkitErrors.FST_CHATKIT_UPLOAD_TOO_SLOW())
    }
    signal.addEventListener('abort', slow, { once: true })
    // A pipe does not tell the parser that there will be no more.
    request.on('error', fail)
    request.pipe(parser)
  })
  try {
    return await found
  } finally {
    signal.removeEventListener('abort', slow)
  }
}

function makeParser(request: IncomingMessage) {
  try {
    return new Busboy({ headers: { 'content-type': '', ...request.headers }, limits })
  } catch (cause) {
    throw new chatkitErrors.FST_CHATKIT_UPLOAD_INVALID('The form cannot be read', { cause })
  }
}
