import { chatkitErrors } from '../errors.ts'

/** Which files a store takes. */
export type Acceptance = {
  /** Types such as `image/*` or `application/pdf`; type and size are checked when a file is announced, and again in its bytes. @default everything */
  accept?: readonly string[]
  /** The largest file. @default 100 MiB */
  maxBytes?: number
}

export type Accepts = (file: { name: string; mimeType: string; size?: number }) => void

const token = "[a-z0-9!#$%&'*+.^_`|~-]+"
const mediaType = new RegExp(`^${token}/${token}$`)
const longestName = 255

/**
 * Makes the check of what may be announced.
 *
 * @throws TypeError for an option that cannot be meant.
 */
export function acceptance({ accept = ['*/*'], maxBytes = 100 * 1024 * 1024 }: Acceptance): {
  maxBytes: number
  /** @throws FST_CHATKIT_ATTACHMENT_TOO_LARGE, FST_CHATKIT_ATTACHMENT_REFUSED. */
  check: Accepts
} {
  if (!Number.isInteger(maxBytes) || maxBytes < 1) throw new TypeError('maxBytes must be a whole number above zero')
  const accepted = accept.map(type => type.toLowerCase())
  for (const type of accepted)
    if (!mediaType.test(type)) throw new TypeError(`accept must have types such as "image/*", not "${type}"`)
  return {
    maxBytes,
    check({ name, mimeType, size = 0 }) {
      if (name === '' || name.length > longestName)
        throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_REFUSED(`A name has 1 to ${longestName} characters`)
      const essence = essenceOf(mimeType)
      const fits = (type: string) => type === '*/*' || type === essence || type === `${essence.split('/')[0]}/*`
      if (!mediaType.test(essence) || !accepted.some(fits))
        throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_REFUSED('Files of this type are not taken')
      if (size > maxBytes) throw new chatkitErrors.FST_CHATKIT_ATTACHMENT_TOO_LARGE()
    }
  }
}

/** A type without its parameters, in lower case. Browsers say nothing of files they do not know. */
export function essenceOf(mimeType: string): string {
  return mimeType.split(';')[0]?.trim().toLowerCase() || 'application/octet-stream'
}
