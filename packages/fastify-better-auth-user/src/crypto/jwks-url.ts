import type { JsonWebKey } from 'node:crypto'
import type { KeyLoader } from './key-set.ts'

/** A key set is a few kilobytes; whatever is larger is something else. */
const MAX_BYTES = 256 * 1024

/**
 * Keys from a JWKS endpoint (RFC 7517 §5). The address is configuration, never taken from a token.
 *
 * @param timeoutMs for the whole exchange.
 * @param closing ends an exchange before its time.
 */
export function jwksFromUrl(url: string, timeoutMs: number, closing?: AbortSignal): KeyLoader {
  return async () => {
    const timeout = AbortSignal.timeout(timeoutMs)
    const reply = await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'error',
      signal: closing === undefined ? timeout : AbortSignal.any([closing, timeout])
    })
    if (!reply.ok) {
      await reply.body?.cancel()
      throw new Error(`${url} answered ${reply.status}`)
    }
    const body: unknown = JSON.parse(await limitedText(reply, url))
    const keys = (body as { keys?: unknown } | null)?.keys
    if (!Array.isArray(keys)) throw new Error(`${url} did not answer a key set`)
    // A key without an id cannot be named by a token.
    return keys
      .filter(isNamedKey)
      .map(jwk => ({ kid: jwk.kid, jwk, alg: typeof jwk.alg === 'string' ? jwk.alg : null }))
  }
}

function isNamedKey(key: unknown): key is JsonWebKey & { kid: string } {
  return typeof key === 'object' && key !== null && typeof (key as { kid?: unknown }).kid === 'string'
}

async function limitedText(reply: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of reply.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BYTES) throw new Error(`${url} answered more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
