import type { Attachment } from '../protocol/attachment.ts'
import { ChatKitClientError, errorOf, lost } from './error.ts'

/** Sends the bytes of an attachment to its signed address, with the headers the address was signed for and no others. */
export async function uploadAttachment(
  fetch: typeof globalThis.fetch,
  { upload_descriptor }: Attachment,
  bytes: Blob,
  signal: AbortSignal | undefined
): Promise<void> {
  if (!upload_descriptor)
    throw new ChatKitClientError('The attachment has no address to upload to', {
      code: 'UPLOAD_FAILED',
      retryable: false
    })
  const { url, method, headers } = upload_descriptor
  let response: Response
  try {
    response = await fetch(url, {
      method,
      headers,
      body: bytes,
      credentials: 'omit',
      ...(signal ? { signal } : {})
    })
  } catch (cause) {
    signal?.throwIfAborted()
    throw lost('UPLOAD_FAILED', cause)
  }
  if (!response.ok) throw await errorOf(response)
  await response.body?.cancel()
}
