import type { Account } from '../account.ts'
import { localUrls, type Settings } from '../settings.ts'

/**
 * A `fetch` that shows this origin who is asking, and nobody else: files may go to a bucket, which a token would leak to and whose
 * signed address it would spoil.
 */
export function ownFetch(account: Pick<Account, 'headers'>, settings: Pick<Settings, 'attachments'>): typeof fetch {
  const localUrl = localUrls(settings)
  return async (input, init) => {
    const request = new Request(input instanceof Request ? input : localUrl(String(input)), init)
    if (new URL(request.url).origin === location.origin)
      for (const [name, value] of Object.entries(account.headers())) request.headers.set(name, value)
    return await fetch(request)
  }
}
