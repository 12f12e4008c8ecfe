import type pg from 'pg'
import type { HelpFile } from './files.ts'
import { type Passage, passagesOf } from './passages.ts'
import { codeWords, withHiddenWords } from './words.ts'

/** Goes up with every change of how documents are cut or their words are found: all of them are indexed again then. */
const FORM = 3

/** What was done, in documents. */
export interface Indexed {
  documents: number
  changed: number
  removed: number
}

/**
 * Makes the index that of these files: what is as it was is left alone, what is gone is taken out.
 *
 * Several processes may do it at once; of two that bring the same file, one does the work. With different files on one
 * database, whoever is last decides.
 *
 * @throws the signal's reason when it aborts; what was indexed by then stays.
 */
export async function indexFiles(
  pool: pg.Pool,
  files: readonly HelpFile[],
  language: string,
  signal?: AbortSignal
): Promise<Indexed> {
  const { rows } = await pool.query('select path, hash, position from chatkit_host.help_document')
  const known = new Map(rows.map(row => [String(row.path), `${row.hash} ${row.position}`]))
  let changed = 0
  for (const [position, file] of files.entries()) {
    signal?.throwIfAborted()
    const hash = `${FORM}-${language}-${file.hash}`
    if (known.get(file.path) === `${hash} ${position}`) continue
    if (await indexFile(pool, { ...file, hash }, position, language)) changed++
  }
  const paths = files.map(({ path }) => path)
  const { rowCount } = await pool.query('delete from chatkit_host.help_document where path <> all($1::text[])', [paths])
  return { documents: files.length, changed, removed: rowCount ?? 0 }
}

async function indexFile(pool: pg.Pool, file: HelpFile, position: number, language: string): Promise<boolean> {
  const { title, passages } = passagesOf(file.path, file.text)
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    // One process a file, and one file at a time: nobody waits for somebody who waits.
    await client.query('select pg_advisory_xact_lock(hashtext($1))', ['chatkit_host.help_document'])
    const { rowCount } = await client.query(
      `insert into chatkit_host.help_document as known (path, position, title, hash) values ($1, $2, $3, $4)
       on conflict (path) do update
         set position = excluded.position, title = excluded.title, hash = excluded.hash, indexed_at = now()
         where (known.hash, known.position) is distinct from (excluded.hash, excluded.position)`,
      [file.path, position, title, file.hash]
    )
    if (rowCount === 1) await replacePassages(client, file.path, passages, language)
    await client.query('commit')
    return rowCount === 1
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure
    })
    throw error
  } finally {
    client.release(broken)
  }
}

async function replacePassages(client: pg.PoolClient, path: string, passages: readonly Passage[], language: string) {
  await client.query('delete from chatkit_host.help_passage where path = $1', [path])
  const rows = passages.map(({ title, heading, trail, anchor, body }, position) => ({
    position,
    title,
    heading,
    trail,
    anchor,
    body,
    a: withHiddenWords(heading),
    b: withHiddenWords(heading === title ? path : [title, ...trail, path].join(' ')),
    c: withHiddenWords(body),
    // Wherever a name stands, it is what somebody means who writes it.
    names: codeWords(`${heading} ${body}`).join(' ')
  }))
  await client.query(
    `insert into chatkit_host.help_passage (path, position, title, heading, trail, anchor, body, words)
     select $1, position, title, heading, trail, anchor, body,
       setweight(to_tsvector($2::regconfig, a), 'A') || setweight(to_tsvector($2::regconfig, b), 'B') ||
       setweight(to_tsvector($2::regconfig, c), 'C') || setweight(to_tsvector('simple', names), 'D')
     from jsonb_to_recordset($3::jsonb) as given (position int, title text, heading text, trail text[], anchor text,
       body text, a text, b text, c text, names text)`,
    [path, language, JSON.stringify(rows)]
  )
}
