import type { IncomingHttpHeaders } from 'node:http'
import type { Claims, Proof } from '../types.ts'

/** Where credentials are read from. An `http.IncomingMessage` fits, that of a WebSocket upgrade included. */
export interface CredentialSource {
  headers: IncomingHttpHeaders
  /** Names and values in turn, as received. */
  rawHeaders: readonly string[]
  method?: string | undefined
  /** Path and query, as received. */
  url?: string | undefined
}

/** A credential was meant, but cannot be read. */
export interface Malformed {
  malformed: string
}

/** The credential's text; `null` when the request carries none of this kind. */
export type Extracted = string | Malformed | null

/** Reads a token from wherever this deployment carries tokens. */
export interface TokenReader {
  (source: CredentialSource): Extracted
  /** Headers that alone decide what is read. Left out: anything may. */
  readonly headers?: readonly string[] | undefined
}

/** A sort of credential. One file each; the first that extracts something decides. */
export interface CredentialKind {
  /** As it appears in decisions and logs. */
  readonly name: string
  /** For a credential with several readings: its name once a reading was found to be true. @default `name` */
  nameOf?(claims: Claims): string
  /** Browsers attach it by themselves, also to requests another site made them send. */
  readonly ambient?: boolean
  /**
   * Headers that alone decide what `extract` finds, in small letters. Left out: anything may, so nothing is recalled by
   * its header from this kind on.
   */
  readonly headers?: readonly string[] | undefined
  /** Never throws, never asks anybody. */
  extract(source: CredentialSource): Extracted
  /**
   * Proves what can be proven without the database.
   *
   * @throws an error of the table in errors.ts whose cause says why.
   */
  verify(credential: string): Proof | Promise<Proof>
}

/** What holds at all times: that a text was signed, or what an opaque token is to be looked up by. */
export function timeless(...claims: readonly Claims[]): Proof {
  return { claims, from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY }
}

export function malformed(why: string): Malformed {
  return { malformed: why }
}
