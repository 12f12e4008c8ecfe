import type { Source } from 'fastify-chatkit'
import type pg from 'pg'
import { ownDocuments, readHelpFiles } from './files.ts'
import { type Indexed, indexFiles } from './index-files.ts'
import { type Found, search } from './search.ts'

/** Where the documents are, and how they are read. */
export interface HelpOptions {
  /** `null`: this project's own documents. */
  folder: string | null
  /** A text search configuration of Postgres, such as `english`. */
  language: string
  /** Where the folder is published, with a slash at its end; `null`: nowhere, so sources are names of files. */
  url: string | null
}

/** Documents that can be asked. */
export interface HelpCentre {
  /** Whether everything has been indexed, so that nobody has to wait. */
  readonly isReady: boolean
  /** Indexes the documents, once; again only after it failed. Whoever asks before that waits for it. */
  prepare(): Promise<Indexed>
  /** Ends what is being indexed; for a host that closes. */
  close(): Promise<void>
  /** Passages about a question, best first. Any text is a question. */
  find(question: string, limit: number): Promise<Found[]>
  /** What the documents are about: their titles, what folders are about first, then the longest. */
  topics(limit: number): Promise<string[]>
  /** Headings of the same document that come after a passage. */
  following(passage: Found, limit: number): Promise<Pick<Found, 'title' | 'heading'>[]>
  /** A passage, as an annotation refers to it. */
  sourceOf(passage: Found): Source
  /** Where a link in a document leads, `null` for nowhere that a reader could get to. */
  resolve(path: string, href: string): string | null
}

/** The help centre of a folder. Reads nothing before it is asked to. */
export function openHelpCentre(pool: pg.Pool, { folder, language, url }: HelpOptions): HelpCentre {
  let indexed: Promise<Indexed> | null = null
  let ready = false
  const closing = new AbortController()
  const prepare = () => {
    indexed ??= (async () => {
      const done = await indexFiles(pool, await readHelpFiles(folder ?? ownDocuments()), language, closing.signal)
      ready = true
      return done
    })().catch((error: unknown) => {
      indexed = null
      throw error
    })
    return indexed
  }
  const published = (path: string) =>
    url === null ? null : new URL(path.split('/').map(encodeURIComponent).join('/'), url)

  return {
    get isReady() {
      return ready
    },
    prepare,

    async close() {
      closing.abort()
      await indexed?.catch(() => undefined)
    },

    async find(question, limit) {
      await prepare()
      return await search(pool, question, language, limit)
    },

    async topics(limit) {
      await prepare()
      const { rows } = await pool.query(
        `select title from chatkit_host.help_document document
         left join lateral (select count(*) as passages from chatkit_host.help_passage where path = document.path) counted on true
         group by title
         order by bool_or(path ~* '(^|/)(readme|index)\\.[^/]*$') desc, max(passages) desc, min(position) limit $1`,
        [limit]
      )
      return rows.map(row => String(row.title))
    },

    async following({ path, position, heading }, limit) {
      const { rows } = await pool.query(
        `select title, heading from chatkit_host.help_passage
         where path = $1 and position > $2 and heading <> $3 group by title, heading order by min(position) limit $4`,
        [path, position, heading, limit]
      )
      return rows as Pick<Found, 'title' | 'heading'>[]
    },

    sourceOf({ path, title, heading, trail, anchor }) {
      const name = heading === title ? title : `${title} › ${heading}`
      const description = trail.length > 0 ? trail.join(' › ') : undefined
      const address = published(path)
      if (address === null) return { type: 'file', title: name, filename: path, description }
      address.hash = anchor
      return { type: 'url', title: name, url: address.href, description }
    },

    resolve(path, href) {
      if (/^(https?|mailto):/i.test(href)) return href
      const from = published(path)
      return from === null || !URL.canParse(href, from.href) ? null : new URL(href, from).href
    }
  }
}
