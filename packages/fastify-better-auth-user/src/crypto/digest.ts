import { createHash } from 'node:crypto'

/** SHA-256 as base64url without padding: how Better Auth keeps API keys and OAuth tokens. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
