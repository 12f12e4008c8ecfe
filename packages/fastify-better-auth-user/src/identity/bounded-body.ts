/**
 * The body of an answer as text.
 *
 * @throws Error as soon as more than `limit` bytes have come, whatever `Content-Length` said.
 */
export async function readAtMost(limit: number, response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength
    // Leaving the loop cancels the rest.
    if (length > limit) throw new Error(`the answer is longer than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
