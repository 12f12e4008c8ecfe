import { isRepeated } from '../http/authorization.ts'
import { createRecent, type Item } from '../recent.ts'
import type { Proof } from '../types.ts'
import type { CredentialKind, CredentialSource } from './credential.ts'
import { holds } from './proofs.ts'

/** The only header of a request that had a say in what its credential is. */
export interface Carrier {
  name: 'authorization' | 'cookie'
  text: string
}

/** What was read from a header of exactly this text, and what it proved. */
export interface Recollection extends Carrier, Item {
  readonly kind: CredentialKind
  readonly proof: Proof
  /** For the identity store: see `Bookmark`. */
  kept: object | null
}

/**
 * Credentials by the whole header that carried them: a client says the same words with each request, and what they
 * come to need not be found out again.
 */
export interface Recollections {
  /** What reading and verifying would find, if this very header was met before and nothing else could matter. */
  recall(source: CredentialSource): Recollection | null
  /** The header to keep by, before anything is waited for; `null` when more than one text decided what this kind found. */
  carrierOf(source: CredentialSource, kind: CredentialKind): Carrier | null
  /** Only for credentials somebody was known by: anybody can make up others. */
  keep(carrier: Carrier, kind: CredentialKind, proof: Proof): void
  readonly stats: { recalled: number }
}

/** Longer headers are read each time: nobody shall fill the memory with cookies of their own making. */
const MAX_TEXT_LENGTH = 2048

/**
 * @param kinds in the order asked.
 * @param max most headers kept; one that was not used for long gives way. 0: none.
 * @param now milliseconds since the epoch. @default Date.now
 */
export function createRecollections(
  kinds: readonly CredentialKind[],
  max: number,
  now: () => number = Date.now
): Recollections {
  const read = headersRead(kinds)
  const recent = createRecent<Recollection>(max)
  let recalled = 0

  return {
    recall(source) {
      const { authorization, cookie } = source.headers
      const text = authorization ?? cookie
      if (text === undefined) return null
      const found = recent.find(partOf(text))
      if (found === undefined || found.text !== text) return null
      const name = authorization === undefined ? 'cookie' : 'authorization'
      if (found.name !== name || !decides(source, name, found.kind) || !holds(found.proof, now)) return null
      found.wasUsed = true
      recalled++
      return found
    },
    carrierOf(source, kind) {
      const { authorization, cookie } = source.headers
      const name = authorization === undefined ? 'cookie' : 'authorization'
      const text = authorization ?? cookie
      if (text === undefined || text.length > MAX_TEXT_LENGTH) return null
      return decides(source, name, kind) ? { name, text } : null
    },
    keep({ name, text }, kind, proof) {
      if (max > 0) recent.keep({ key: partOf(text), isKept: true, wasUsed: false, name, text, kind, proof, kept: null })
    },
    get stats() {
      return { recalled }
    }
  }

  /** Whether this header alone decides what the kind, and those asked before it, find in a request: it is there once, the others are not. */
  function decides({ headers, rawHeaders }: CredentialSource, name: string, kind: CredentialKind): boolean {
    const all = read.get(kind)
    if (all === undefined) return false
    for (const other of all) if (other !== name && headers[other] !== undefined) return false
    return !isRepeated(rawHeaders, name)
  }
}

/** For each kind the headers that it and those asked before it look at; none for kinds after one that does not say. */
function headersRead(kinds: readonly CredentialKind[]): Map<CredentialKind, readonly string[]> {
  const read = new Map<CredentialKind, readonly string[]>()
  const names = new Set<string>()
  for (const kind of kinds) {
    if (kind.headers === undefined) break
    for (const name of kind.headers) names.add(name)
    read.set(kind, [...names])
  }
  return read
}

/**
 * A part in which genuine credentials differ, if they are not followed by something else: they end in a signature, or are
 * random altogether. To make a map's key of some hundred characters takes longer than to compare them with those found.
 */
function partOf(text: string): string {
  return text.slice(-12)
}
